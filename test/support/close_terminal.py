"""Runs a command in a terminal of its own, closes the terminal once the command is ready, and prints what became of it."""
import os
import pty
import sys
import time

ready = sys.argv[1].encode()
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
output = b''
while ready not in output:
    output += os.read(terminal, 65536)
os.close(terminal)
for _ in range(200):
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended:
        print('ended', os.waitstatus_to_exitcode(status))
        sys.exit()
    time.sleep(0.05)
os.kill(child, 9)
print('still runs')
