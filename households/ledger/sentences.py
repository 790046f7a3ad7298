"""What an officer is told when a file is not read, by the child's codes: what it is, what to do."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

SAVE_ANEW = lazy("请用 Excel 或 WPS 打开，“另存为”选“Excel 工作簿（.xlsx）”，再导入")
WHY = {
    "empty": lazy("文件是空的，里面没有内容"),
    "damaged": lazy("文件不完整或已损坏。请在 Excel 或 WPS 中打开检查，另存为新的 .xlsx 再导入"),
    "password": lazy("工作簿有密码。请打开后取消密码，另存为 .xlsx 再导入"),
    "macros": lazy("工作簿里有宏，为安全起见不读取。请另存为不带宏的“Excel 工作簿（.xlsx）”再导入"),
    "entities": lazy("文件里有不属于工作簿的内容（文档类型声明），为安全起见不读取"),
    "too_large": lazy(
        "文件展开后有 %(megabytes)d MB，超出能读的大小。请分成几个文件，或删去多余的工作表"
    ),
    "large_file": lazy("文件有 %(megabytes)d MB，最大只能 %(most)d MB。请分成几个文件，或删去图片"),
    "large_row": lazy("第 %(row)d 行附近的内容大得不像表格，无法读取"),
    "row_out_of_range": lazy("行号 %(row)d 超出了 Excel 的范围，文件已损坏或不是 Excel 保存的"),
    "too_many_rows": lazy("一个文件最多导入 100,000 行，请分成几个文件"),
    "too_many_texts": lazy("文件里的文字太多，请分成几个文件"),
    "too_many_merges": lazy("合并的单元格太多，请取消合并再导入"),
    "too_much_memory": lazy(
        "文件太大或太复杂，读取所需的内存超出限度。请分成几个文件，或只留下要导入的工作表"
    ),
    "too_much_time": lazy(
        "文件太大或太复杂，读取的时间超出限度。请分成几个文件，或只留下要导入的工作表"
    ),
    "broken_off": lazy("文件无法读取。请在 Excel 或 WPS 中打开检查，另存为新的 .xlsx 再导入"),
    "many_parts": lazy("文件里的部件太多，不像普通的工作簿。请把表格复制到新的工作簿再导入"),
    "long_line": lazy("第 %(row)d 行太长，不像表格。请检查是不是 CSV 文件"),
    "open_quote": lazy("从第 %(row)d 行起有一个引号没有配对，后面的内容无法分清"),
    "encoding": lazy("文字编码既不是 UTF-8 也不是 GB18030。请另存为“CSV UTF-8”或 .xlsx 再导入"),
    "no_sheets": lazy("工作簿里没有工作表"),
    "not_a_table": lazy("这不是工作簿，也不是 CSV 文件，无法读取"),
    "a_pdf": lazy("这是 PDF 文件，读不出表格。请用原来的 Excel 文件，或把表格录入模板再导入"),
    "an_image": lazy("这是图片，读不出表格。请用原来的 Excel 文件，或把表格录入模板再导入"),
    "an_archive": lazy("这是压缩包，不是工作簿。请先解压，再逐个导入里面的 .xlsx 或 CSV 文件"),
    "a_program": lazy("这是程序，不是工作簿，不读取"),
    "a_document": lazy("这是文字文档（Word、WPS 文字），不是工作簿。请把表格复制到 Excel 再导入"),
    "a_presentation": lazy("这是演示文稿，不是工作簿。请把表格复制到 Excel 再导入"),
}
TO_BE_SAVED_ANEW = {
    "xls": lazy("这是旧格式的 Excel 工作簿（.xls）"),
    "et": lazy("这是 WPS 表格的旧格式（.et）"),
    "wps": lazy("这是 WPS 的旧格式"),
    "xlsb": lazy("这是二进制的 Excel 工作簿（.xlsb）"),
    "ods": lazy("这是 OpenDocument 表格（.ods）"),
    "numbers": lazy("这是苹果 Numbers 表格"),
    "xml_2003": lazy("这是 XML 格式的旧表格"),
    "a_web_page": lazy("这是网页，只是名称像表格（有些系统导出的就是这样）"),
}
OLD_WPS = {".et": "et", ".ett": "et", ".wps": "wps", ".wpt": "wps"}


def why(code: str, params: Mapping[str, object], suffix: str) -> str:
    """The sentence for a code; `suffix` is the end of the file's name, such as `.et`."""
    if code == "xls":
        code = OLD_WPS.get(suffix, code)
    if code in TO_BE_SAVED_ANEW:
        words = {"what": TO_BE_SAVED_ANEW[code], "advice": SAVE_ANEW}
        return _("%(what)s。%(advice)s") % words
    return str(WHY.get(code, WHY["broken_off"])) % params


LINKS = lazy("工作簿引用了别的文件，只读取上次算好的数，不打开那些文件")
WIDE = lazy("1,024 列以后还有内容，没有读取")
