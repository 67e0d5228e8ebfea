# Runs /vm/command, says what became of it, and ends the machine; sourced by what a guest runs last.
#
# Two serial lines take what the command prints and its exit status; /vm/lines names them OUTPUT and
# REPORT.
. /vm/lines
stty -F "$OUTPUT" raw -echo
# Through a pipe, so that programs see no terminal.
mkfifo /run/output
cat </run/output >"$OUTPUT" &
reader=$!
/bin/sh /vm/command </dev/null >/run/output 2>&1
status=$?
# The reader ends with its last writer; one that stays in the background is not waited for.
for _ in 1 2 3 4 5 6 7 8 9 10; do
    kill -0 $reader 2>/dev/null || break
    sleep 0.1
done
# Setting a line waits until all that was written to it has left.
stty -F "$OUTPUT" raw
echo "exit $status" >"$REPORT"
stty -F "$REPORT" raw
/usr/bin/busybox poweroff -f
