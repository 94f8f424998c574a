#!/usr/bin/env bash
# shows: Modbus over TCP: coils and registers read and written, an address that does not exist (exception).
# programs: python:pymodbus
# check: modbus.func_code == 3; modbus.func_code == 16; modbus.exception_code
set -euo pipefail
cat > server.py <<'END'
import asyncio
from pymodbus.server import StartAsyncTcpServer
try:
    from pymodbus.datastore import ModbusDeviceContext as Device
except ImportError:
    from pymodbus.datastore import ModbusSlaveContext as Device
from pymodbus.datastore import ModbusSequentialDataBlock as Block, ModbusServerContext
def block(): return Block(1, [n % 2 for n in range(40)])
device = Device(di=block(), co=block(), hr=block(), ir=block())
asyncio.run(StartAsyncTcpServer(ModbusServerContext(device, single=True), address=("10.1.0.20", 502)))
END
cat > client.py <<'END'
from pymodbus.client import ModbusTcpClient
plc = ModbusTcpClient("10.1.0.20")
plc.connect()
for call in (lambda: plc.read_coils(0, count=10), lambda: plc.read_discrete_inputs(3, count=4),
             lambda: plc.read_holding_registers(0, count=8), lambda: plc.read_input_registers(2, count=2),
             lambda: plc.write_coil(4, True), lambda: plc.write_register(5, 1234),
             lambda: plc.write_registers(6, [1, 2, 3]), lambda: plc.read_holding_registers(5, count=4),
             lambda: plc.read_holding_registers(500, count=1), lambda: plc.read_device_information()):
    try:
        print(call())
    except Exception as error:
        print(error)
plc.close()
END
start server "$PYTHON" server.py
wait_tcp server 502
capture

client "$PYTHON" client.py
