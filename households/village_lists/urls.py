"""Pages of change slips, their papers, and of steps entered later."""

from django.urls import path

from households import todo
from households.village_lists import later_entry, list_papers, slip_pages

urlpatterns = [
    path("slips/", slip_pages.slip_list, name="slips"),
    path("slips/new/", slip_pages.new_slip, name="new_slip"),
    path("slips/<uuid:uid>/", slip_pages.slip_page, name="slip"),
    path("slips/<uuid:uid>/edit/", slip_pages.edit_slip, name="edit_slip"),
    path("slips/<uuid:uid>/act/", slip_pages.slip_act, name="slip_act"),
    path("slips/<uuid:uid>/paper/", slip_pages.slip_paper, name="slip_paper"),
    path("todo/", todo.todo_row, name="todo"),
    path("papers/<uuid:uid>/", list_papers.paper, name="paper"),
    path("households/earlier/", later_entry.earlier_years, name="earlier_years"),
    path("households/<slug:number>/later/", later_entry.later, name="later_entry"),
]
