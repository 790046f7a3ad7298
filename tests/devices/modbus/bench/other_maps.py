"""Maps of other makers, in other shapes than the two examples."""

from tests.devices.modbus.test_both_sides import EVERYTHING

# Coils, floats of every order, one register of two bytes, a mode in some bits of a register, a
# water setpoint whose row depends on the mode.
MIXED = EVERYTHING

# Two-byte addresses, the second of two modules, a lock and a remote switch before every write, a
# return-water setpoint beside others in one register, a reset by command, power by a label.
NATIVE = """\
@maker,某厂
@model,NT-2
@kind,gas_boiler
@medium,water
@address_width,2
@module_stride,100
@control_side,return
@max_read,40
@holes,exception
@read_functions,3 4
@write_functions,6 16
@min_write_interval_s,0
@persist,ram
@require,holding:900=1
@unlock,holding:901=23205
signal,area,address,type,order,scale,offset,unit,access,min,max,step,enum,invalid,write_address,write_method,write_value,write_delay_s
supply_temp,input,10,float32,CDAB,1,0,°C,r,,,,,nan=sensor_open,,,,
return_temp,input,12,float32,CDAB,1,0,°C,r,,,,,nan=sensor_open,,,,
outdoor_temp,input,14,sm16,,0.1,0,°C,r,,,,,,,,,
indoor_temp,input,15,int16,,0.01,0,°C,r,,,,,,,,,
gas_volume,input,20,uint32,CDAB,0.01,0,m3,r,,,,,,,,,
fault_code,input,30,uint16,,1,0,,r,,,,0=none;12=ignition!critical;31=sensor!warn,,,,,
indoor_temp_setpoint,holding,10,int16,,0.1,0,°C,rw,5,30,0.5,,,60,value,,0.01
return_temp_setpoint,holding,11,uint8_hi,,1,0,°C,rw,20,60,1,,,,rmw,,0.01
burner_limit,holding,11,uint8_lo,,1,0,%,r,,,,,,,,,
power_state,holding,12,uint16,,1,0,,rw,,,,85=off;170=on,,,value,,0.01
mode,holding,13,uint16,,1,0,,rw,,,,0=hot_water;1=heating;2=heating_hot_water,,,value,,0.01
alarm_reset,holding,20,uint16,,1,0,,w,,,,,,,command,165,0.01
"""
