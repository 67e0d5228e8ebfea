# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_capable_global_optspecs
    string join \n v/verbose K/kernel-stack U/user-stack stack-depth= p/pid= tid= children u/user= gid= c/comm= C/cap= granted denied cgroup= unit= user-unit= container= userns= mntns= pidns= unique= summary= table-size= n/count= d/duration= timeout= o/output= x/extra columns= folded time= utc color= hook= transport= buffer-size= cgroupmap= mntnsmap= h/help V/version
end

function __fish_capable_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_capable_global_optspecs) -- $cmd 2>/dev/null
    or argparse -s (__fish_capable_global_optspecs) -- $cmd[1..-2] 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_capable_using_subcommand
    set -l cmd (__fish_capable_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c capable -n "__fish_capable_needs_command" -l stack-depth -d 'Number of frames of each stack, at most 127' -r -f
complete -c capable -n "__fish_capable_needs_command" -s p -l pid -d 'Only this process, with all its threads; a trace ends with it' -r -f
complete -c capable -n "__fish_capable_needs_command" -l tid -d 'Only this thread' -r -f
complete -c capable -n "__fish_capable_needs_command" -s u -l user -d 'Only this real user, by name or number; \'!USER\' means all but it' -r -f -a "(__fish_complete_users)"
complete -c capable -n "__fish_capable_needs_command" -l gid -d 'Only this real group, by name or number; \'!GROUP\' means all but it' -r -f
complete -c capable -n "__fish_capable_needs_command" -s c -l comm -d 'Only tasks whose name matches this glob' -r -f
complete -c capable -n "__fish_capable_needs_command" -s C -l cap -d 'Only this capability; \'!CAP\' means all but it' -r -f -a "chown\t''
dac_override\t''
dac_read_search\t''
fowner\t''
fsetid\t''
kill\t''
setgid\t''
setuid\t''
setpcap\t''
linux_immutable\t''
net_bind_service\t''
net_broadcast\t''
net_admin\t''
net_raw\t''
ipc_lock\t''
ipc_owner\t''
sys_module\t''
sys_rawio\t''
sys_chroot\t''
sys_ptrace\t''
sys_pacct\t''
sys_admin\t''
sys_boot\t''
sys_nice\t''
sys_resource\t''
sys_time\t''
sys_tty_config\t''
mknod\t''
lease\t''
audit_write\t''
audit_control\t''
setfcap\t''
mac_override\t''
mac_admin\t''
syslog\t''
wake_alarm\t''
block_suspend\t''
audit_read\t''
perfmon\t''
bpf\t''
checkpoint_restore\t''"
complete -c capable -n "__fish_capable_needs_command" -l cgroup -d 'Only this cgroup and those below it' -r -f -a "(__fish_complete_directories)"
complete -c capable -n "__fish_capable_needs_command" -l unit -d 'Only this unit of the system\'s systemd, with all that it starts' -r -f
complete -c capable -n "__fish_capable_needs_command" -l user-unit -d 'Only this unit of users\' systemd, of each user who runs it' -r -f
complete -c capable -n "__fish_capable_needs_command" -l container -d 'Only this container, by its name or the first characters of its id' -r -f
complete -c capable -n "__fish_capable_needs_command" -l userns -d 'Only this user namespace, by its number or a process in it' -r -f
complete -c capable -n "__fish_capable_needs_command" -l mntns -d 'Only this mount namespace, by its number or a process in it' -r -f
complete -c capable -n "__fish_capable_needs_command" -l pidns -d 'Only this pid namespace, by its number or a process in it' -r -f
complete -c capable -n "__fish_capable_needs_command" -l unique -d 'Show each distinct check once' -r -f -a "process\t'Process, capability and result'
cgroup\t'Cgroup, capability and result'
comm\t'Name, capability and result'
stack\t'Kernel stack, capability and result'"
complete -c capable -n "__fish_capable_needs_command" -l summary -d 'After the rows, or only, print how many checks each program and each process made, by capability and result' -r -f -a "after\t'After the rows'
only\t'Without any rows'"
complete -c capable -n "__fish_capable_needs_command" -l table-size -d 'With --summary: number of rows in the kernel\'s table of counts' -r -f
complete -c capable -n "__fish_capable_needs_command" -s n -l count -d 'Stop after this many rows' -r -f
complete -c capable -n "__fish_capable_needs_command" -s d -l duration -d 'Stop after this time: 30s, 5m, 1.5h, 2d' -r -f
complete -c capable -n "__fish_capable_needs_command" -l timeout -d 'Like --duration, but exit with 124, as timeout(1) does' -r -f
complete -c capable -n "__fish_capable_needs_command" -s o -l output -d 'Format of the rows' -r -f -a "table\t'A table of 80 columns'
wide\t'A table of every useful column, fitted to the terminal'
json\t'One JSON object per line'
csv\t'Comma-separated values (RFC 4180); no text is a formula for a spreadsheet'
csv-raw\t'The same with text as it is, which a spreadsheet may take for formulas'
folded\t'Stacks for flame graphs, counted, printed at the end'"
complete -c capable -n "__fish_capable_needs_command" -l columns -d 'Show these columns; \'--columns help\' lists them' -r -f -a "time\t''
uid\t''
user\t''
gid\t''
group\t''
pid\t''
tid\t''
ppid\t''
nspid\t''
nstid\t''
comm\t''
comm_bytes\t''
task\t''
cpu\t''
cap\t''
name\t''
audit\t''
inferred\t''
insetid\t''
result\t''
by\t''
errno\t''
caller\t''
why\t''
syscall\t''
sysno\t''
compat\t''
arguments\t''
euid\t''
effective\t''
cred\t''
credns\t''
namespace\t''
relation\t''
initial\t''
mntns\t''
unit\t''
container\t''
runtime\t''
container_name\t''
image\t''
pod\t''
cgroup\t''
cgroup_id\t''
help\t''"
complete -c capable -n "__fish_capable_needs_command" -l time -d 'How to write times; the default is \'clock\' in tables, \'iso\' elsewhere' -r -f -a "clock\t'The time of day: 14:03:59'
iso\t'RFC 3339 with nanoseconds: 2026-11-22T14:03:59.123456789+01:00'
relative\t'Seconds since tracing began: 12.345678'"
complete -c capable -n "__fish_capable_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c capable -n "__fish_capable_needs_command" -l hook -d 'Hook to use; by default the most complete one that works here' -r -f -a "kprobe\t'A kprobe on cap_capable, which works out the result itself'
kretprobe\t'A kprobe on cap_capable for the arguments, with a kretprobe for the result'
fexit\t'A BPF program that runs when cap_capable returns'
tracepoint\t'The tracepoint capability:cap_capable (Linux 6.14 and later)'"
complete -c capable -n "__fish_capable_needs_command" -l transport -d 'Transport to use; by default the best that works here' -r -f -a "ring\t'The BPF ring buffer, shared by all processors (Linux 5.8 and later)'
perf\t'One perf buffer per processor'"
complete -c capable -n "__fish_capable_needs_command" -l buffer-size -d 'Size of the buffer for records, such as 512K or 8M' -r -f
complete -c capable -n "__fish_capable_needs_command" -l cgroupmap -d 'bcc\'s maps of cgroups, which are not needed here' -r -f
complete -c capable -n "__fish_capable_needs_command" -l mntnsmap -d 'bcc\'s maps of mount namespaces, which are not needed here' -r -f
complete -c capable -n "__fish_capable_needs_command" -s v -l verbose -d 'Also show checks that are not audited'
complete -c capable -n "__fish_capable_needs_command" -s K -l kernel-stack -d 'Print the kernel stack under each row'
complete -c capable -n "__fish_capable_needs_command" -s U -l user-stack -d 'Print the user stack under each row'
complete -c capable -n "__fish_capable_needs_command" -l children -d 'With -p: also its descendants, including those forked later'
complete -c capable -n "__fish_capable_needs_command" -l granted -d 'Only checks that were granted'
complete -c capable -n "__fish_capable_needs_command" -l denied -d 'Only checks that were denied'
complete -c capable -n "__fish_capable_needs_command" -s x -l extra -d 'Also show TID, PPID, INSETID, SYSCALL, CALLER, NAMESPACE and CRED'
complete -c capable -n "__fish_capable_needs_command" -l folded -d 'Print stacks for flame graphs: the same as \'-o folded\''
complete -c capable -n "__fish_capable_needs_command" -l utc -d 'Write times in UTC, not in the local time zone'
complete -c capable -n "__fish_capable_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c capable -n "__fish_capable_needs_command" -s V -l version -d 'Print version'
complete -c capable -n "__fish_capable_needs_command" -a "trace" -d 'Show capability checks as they happen (the default)'
complete -c capable -n "__fish_capable_needs_command" -a "top" -d 'Show which processes make the most capability checks'
complete -c capable -n "__fish_capable_needs_command" -a "run" -d 'Run a command and report which capabilities it needs'
complete -c capable -n "__fish_capable_needs_command" -a "why" -d 'Run a command and say why it was refused what it was refused'
complete -c capable -n "__fish_capable_needs_command" -a "profile" -d 'Report which capabilities a running process, unit or container needs'
complete -c capable -n "__fish_capable_needs_command" -a "list" -d 'List every capability: explain without arguments'
complete -c capable -n "__fish_capable_needs_command" -a "explain" -d 'Explain what a capability allows, what asks for it, and what is narrower; or list all'
complete -c capable -n "__fish_capable_needs_command" -a "inspect" -d 'Show the capabilities of processes, files and units; or who holds any'
complete -c capable -n "__fish_capable_needs_command" -a "doctor" -d 'Check whether tracing works here, how, and what is missing'
complete -c capable -n "__fish_capable_needs_command" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c capable -n "__fish_capable_using_subcommand trace" -l stack-depth -d 'Number of frames of each stack, at most 127' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -s p -l pid -d 'Only this process, with all its threads; a trace ends with it' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -l tid -d 'Only this thread' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -s u -l user -d 'Only this real user, by name or number; \'!USER\' means all but it' -r -f -a "(__fish_complete_users)"
complete -c capable -n "__fish_capable_using_subcommand trace" -l gid -d 'Only this real group, by name or number; \'!GROUP\' means all but it' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -s c -l comm -d 'Only tasks whose name matches this glob' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -s C -l cap -d 'Only this capability; \'!CAP\' means all but it' -r -f -a "chown\t''
dac_override\t''
dac_read_search\t''
fowner\t''
fsetid\t''
kill\t''
setgid\t''
setuid\t''
setpcap\t''
linux_immutable\t''
net_bind_service\t''
net_broadcast\t''
net_admin\t''
net_raw\t''
ipc_lock\t''
ipc_owner\t''
sys_module\t''
sys_rawio\t''
sys_chroot\t''
sys_ptrace\t''
sys_pacct\t''
sys_admin\t''
sys_boot\t''
sys_nice\t''
sys_resource\t''
sys_time\t''
sys_tty_config\t''
mknod\t''
lease\t''
audit_write\t''
audit_control\t''
setfcap\t''
mac_override\t''
mac_admin\t''
syslog\t''
wake_alarm\t''
block_suspend\t''
audit_read\t''
perfmon\t''
bpf\t''
checkpoint_restore\t''"
complete -c capable -n "__fish_capable_using_subcommand trace" -l cgroup -d 'Only this cgroup and those below it' -r -f -a "(__fish_complete_directories)"
complete -c capable -n "__fish_capable_using_subcommand trace" -l unit -d 'Only this unit of the system\'s systemd, with all that it starts' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -l user-unit -d 'Only this unit of users\' systemd, of each user who runs it' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -l container -d 'Only this container, by its name or the first characters of its id' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -l userns -d 'Only this user namespace, by its number or a process in it' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -l mntns -d 'Only this mount namespace, by its number or a process in it' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -l pidns -d 'Only this pid namespace, by its number or a process in it' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -l unique -d 'Show each distinct check once' -r -f -a "process\t'Process, capability and result'
cgroup\t'Cgroup, capability and result'
comm\t'Name, capability and result'
stack\t'Kernel stack, capability and result'"
complete -c capable -n "__fish_capable_using_subcommand trace" -l summary -d 'After the rows, or only, print how many checks each program and each process made, by capability and result' -r -f -a "after\t'After the rows'
only\t'Without any rows'"
complete -c capable -n "__fish_capable_using_subcommand trace" -l table-size -d 'With --summary: number of rows in the kernel\'s table of counts' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -s n -l count -d 'Stop after this many rows' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -s d -l duration -d 'Stop after this time: 30s, 5m, 1.5h, 2d' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -l timeout -d 'Like --duration, but exit with 124, as timeout(1) does' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -s o -l output -d 'Format of the rows' -r -f -a "table\t'A table of 80 columns'
wide\t'A table of every useful column, fitted to the terminal'
json\t'One JSON object per line'
csv\t'Comma-separated values (RFC 4180); no text is a formula for a spreadsheet'
csv-raw\t'The same with text as it is, which a spreadsheet may take for formulas'
folded\t'Stacks for flame graphs, counted, printed at the end'"
complete -c capable -n "__fish_capable_using_subcommand trace" -l columns -d 'Show these columns; \'--columns help\' lists them' -r -f -a "time\t''
uid\t''
user\t''
gid\t''
group\t''
pid\t''
tid\t''
ppid\t''
nspid\t''
nstid\t''
comm\t''
comm_bytes\t''
task\t''
cpu\t''
cap\t''
name\t''
audit\t''
inferred\t''
insetid\t''
result\t''
by\t''
errno\t''
caller\t''
why\t''
syscall\t''
sysno\t''
compat\t''
arguments\t''
euid\t''
effective\t''
cred\t''
credns\t''
namespace\t''
relation\t''
initial\t''
mntns\t''
unit\t''
container\t''
runtime\t''
container_name\t''
image\t''
pod\t''
cgroup\t''
cgroup_id\t''
help\t''"
complete -c capable -n "__fish_capable_using_subcommand trace" -l time -d 'How to write times; the default is \'clock\' in tables, \'iso\' elsewhere' -r -f -a "clock\t'The time of day: 14:03:59'
iso\t'RFC 3339 with nanoseconds: 2026-11-22T14:03:59.123456789+01:00'
relative\t'Seconds since tracing began: 12.345678'"
complete -c capable -n "__fish_capable_using_subcommand trace" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c capable -n "__fish_capable_using_subcommand trace" -l hook -d 'Hook to use; by default the most complete one that works here' -r -f -a "kprobe\t'A kprobe on cap_capable, which works out the result itself'
kretprobe\t'A kprobe on cap_capable for the arguments, with a kretprobe for the result'
fexit\t'A BPF program that runs when cap_capable returns'
tracepoint\t'The tracepoint capability:cap_capable (Linux 6.14 and later)'"
complete -c capable -n "__fish_capable_using_subcommand trace" -l transport -d 'Transport to use; by default the best that works here' -r -f -a "ring\t'The BPF ring buffer, shared by all processors (Linux 5.8 and later)'
perf\t'One perf buffer per processor'"
complete -c capable -n "__fish_capable_using_subcommand trace" -l buffer-size -d 'Size of the buffer for records, such as 512K or 8M' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -l cgroupmap -d 'bcc\'s maps of cgroups, which are not needed here' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -l mntnsmap -d 'bcc\'s maps of mount namespaces, which are not needed here' -r -f
complete -c capable -n "__fish_capable_using_subcommand trace" -s v -l verbose -d 'Also show checks that are not audited'
complete -c capable -n "__fish_capable_using_subcommand trace" -s K -l kernel-stack -d 'Print the kernel stack under each row'
complete -c capable -n "__fish_capable_using_subcommand trace" -s U -l user-stack -d 'Print the user stack under each row'
complete -c capable -n "__fish_capable_using_subcommand trace" -l children -d 'With -p: also its descendants, including those forked later'
complete -c capable -n "__fish_capable_using_subcommand trace" -l granted -d 'Only checks that were granted'
complete -c capable -n "__fish_capable_using_subcommand trace" -l denied -d 'Only checks that were denied'
complete -c capable -n "__fish_capable_using_subcommand trace" -s x -l extra -d 'Also show TID, PPID, INSETID, SYSCALL, CALLER, NAMESPACE and CRED'
complete -c capable -n "__fish_capable_using_subcommand trace" -l folded -d 'Print stacks for flame graphs: the same as \'-o folded\''
complete -c capable -n "__fish_capable_using_subcommand trace" -l utc -d 'Write times in UTC, not in the local time zone'
complete -c capable -n "__fish_capable_using_subcommand trace" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c capable -n "__fish_capable_using_subcommand top" -s g -l group -d 'What each row counts; the key g changes it' -r -f -a "check\t'Checks with the same process, capability and result'
process\t'Checks of the same process'
capability\t'Checks for the same capability'
result\t'Checks with the same result'
cgroup\t'Checks of the same cgroup'"
complete -c capable -n "__fish_capable_using_subcommand top" -s s -l sort -d 'Order of the rows; the keys c, p, n and r change it' -r -f -a "rate\t'Checks per second, highest first'
total\t'Total of checks, highest first'
pid\t'Number of the process'
name\t'Name of the task, the capability or the cgroup'
result\t'Result, denied first'"
complete -c capable -n "__fish_capable_using_subcommand top" -s d -l delay -d 'Seconds between two readings' -r -f
complete -c capable -n "__fish_capable_using_subcommand top" -s n -l iterations -d 'Stop after this many readings' -r -f
complete -c capable -n "__fish_capable_using_subcommand top" -l table-size -d 'Number of rows in the kernel\'s table of counts' -r -f
complete -c capable -n "__fish_capable_using_subcommand top" -s p -l pid -d 'Only this process, with all its threads; a trace ends with it' -r -f
complete -c capable -n "__fish_capable_using_subcommand top" -l tid -d 'Only this thread' -r -f
complete -c capable -n "__fish_capable_using_subcommand top" -s u -l user -d 'Only this real user, by name or number; \'!USER\' means all but it' -r -f -a "(__fish_complete_users)"
complete -c capable -n "__fish_capable_using_subcommand top" -l gid -d 'Only this real group, by name or number; \'!GROUP\' means all but it' -r -f
complete -c capable -n "__fish_capable_using_subcommand top" -s c -l comm -d 'Only tasks whose name matches this glob' -r -f
complete -c capable -n "__fish_capable_using_subcommand top" -s C -l cap -d 'Only this capability; \'!CAP\' means all but it' -r -f -a "chown\t''
dac_override\t''
dac_read_search\t''
fowner\t''
fsetid\t''
kill\t''
setgid\t''
setuid\t''
setpcap\t''
linux_immutable\t''
net_bind_service\t''
net_broadcast\t''
net_admin\t''
net_raw\t''
ipc_lock\t''
ipc_owner\t''
sys_module\t''
sys_rawio\t''
sys_chroot\t''
sys_ptrace\t''
sys_pacct\t''
sys_admin\t''
sys_boot\t''
sys_nice\t''
sys_resource\t''
sys_time\t''
sys_tty_config\t''
mknod\t''
lease\t''
audit_write\t''
audit_control\t''
setfcap\t''
mac_override\t''
mac_admin\t''
syslog\t''
wake_alarm\t''
block_suspend\t''
audit_read\t''
perfmon\t''
bpf\t''
checkpoint_restore\t''"
complete -c capable -n "__fish_capable_using_subcommand top" -l cgroup -d 'Only this cgroup and those below it' -r -f -a "(__fish_complete_directories)"
complete -c capable -n "__fish_capable_using_subcommand top" -l unit -d 'Only this unit of the system\'s systemd, with all that it starts' -r -f
complete -c capable -n "__fish_capable_using_subcommand top" -l user-unit -d 'Only this unit of users\' systemd, of each user who runs it' -r -f
complete -c capable -n "__fish_capable_using_subcommand top" -l container -d 'Only this container, by its name or the first characters of its id' -r -f
complete -c capable -n "__fish_capable_using_subcommand top" -l userns -d 'Only this user namespace, by its number or a process in it' -r -f
complete -c capable -n "__fish_capable_using_subcommand top" -l mntns -d 'Only this mount namespace, by its number or a process in it' -r -f
complete -c capable -n "__fish_capable_using_subcommand top" -l pidns -d 'Only this pid namespace, by its number or a process in it' -r -f
complete -c capable -n "__fish_capable_using_subcommand top" -l hook -d 'Hook to use; by default the most complete one that works here' -r -f -a "kprobe\t'A kprobe on cap_capable, which works out the result itself'
kretprobe\t'A kprobe on cap_capable for the arguments, with a kretprobe for the result'
fexit\t'A BPF program that runs when cap_capable returns'
tracepoint\t'The tracepoint capability:cap_capable (Linux 6.14 and later)'"
complete -c capable -n "__fish_capable_using_subcommand top" -l transport -d 'Transport to use; by default the best that works here' -r -f -a "ring\t'The BPF ring buffer, shared by all processors (Linux 5.8 and later)'
perf\t'One perf buffer per processor'"
complete -c capable -n "__fish_capable_using_subcommand top" -s v -l verbose -d 'Also count checks that are not audited'
complete -c capable -n "__fish_capable_using_subcommand top" -s b -l batch -d 'Print each reading as plain text'
complete -c capable -n "__fish_capable_using_subcommand top" -l children -d 'With -p: also its descendants, including those forked later'
complete -c capable -n "__fish_capable_using_subcommand top" -l granted -d 'Only checks that were granted'
complete -c capable -n "__fish_capable_using_subcommand top" -l denied -d 'Only checks that were denied'
complete -c capable -n "__fish_capable_using_subcommand top" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c capable -n "__fish_capable_using_subcommand run" -s o -l output -d 'Format of the report' -r -f -a "text\t'For a terminal'
json\t'For a program, and for --baseline'
markdown\t'For an issue or a wiki'"
complete -c capable -n "__fish_capable_using_subcommand run" -l report -d 'Write the report to this file; \'-\' is stdout' -r -F
complete -c capable -n "__fish_capable_using_subcommand run" -l emit -d 'Also write the needed set in this format, alone on stdout or to FILE: systemd, docker, compose, podman, kubernetes, setcap, capsh, apparmor, oci, nspawn, lxc, json' -r -f -a "systemd\t'A drop-in for a systemd unit'
docker\t'Options for docker run'
compose\t'A service in a compose file'
podman\t'Options for podman run'
kubernetes\t'A container\'s securityContext'
setcap\t'File capabilities'
capsh\t'A command that runs the program with exactly this set'
apparmor\t'Rules for an AppArmor profile'
oci\t'What to put over the config.json of an OCI bundle'
nspawn\t'Settings of a container of systemd-nspawn'
lxc\t'Configuration of a container of LXC'
json\t'The set and what is known of it, for a program'"
complete -c capable -n "__fish_capable_using_subcommand run" -l allow -d 'Exit with 3 if a capability was needed or used that is not in this list, or in the list in this file' -r -F
complete -c capable -n "__fish_capable_using_subcommand run" -l baseline -d 'Exit with 3 if a capability was needed or used that this earlier JSON report does not have' -r -F
complete -c capable -n "__fish_capable_using_subcommand run" -l settle -d 'Treat the command as starting until no process was forked or executed for this time' -r -f
complete -c capable -n "__fish_capable_using_subcommand run" -l user -d 'Run the command as this user, by name or number, with its groups' -r -f -a "(__fish_complete_users)"
complete -c capable -n "__fish_capable_using_subcommand run" -l group -d 'Run the command as this group, by name or number' -r -f
complete -c capable -n "__fish_capable_using_subcommand run" -l caps -d 'Set every capability set (permitted, effective, inheritable, ambient, bounding) to exactly these, or to \'none\'' -r -f -a "chown\t''
dac_override\t''
dac_read_search\t''
fowner\t''
fsetid\t''
kill\t''
setgid\t''
setuid\t''
setpcap\t''
linux_immutable\t''
net_bind_service\t''
net_broadcast\t''
net_admin\t''
net_raw\t''
ipc_lock\t''
ipc_owner\t''
sys_module\t''
sys_rawio\t''
sys_chroot\t''
sys_ptrace\t''
sys_pacct\t''
sys_admin\t''
sys_boot\t''
sys_nice\t''
sys_resource\t''
sys_time\t''
sys_tty_config\t''
mknod\t''
lease\t''
audit_write\t''
audit_control\t''
setfcap\t''
mac_override\t''
mac_admin\t''
syslog\t''
wake_alarm\t''
block_suspend\t''
audit_read\t''
perfmon\t''
bpf\t''
checkpoint_restore\t''"
complete -c capable -n "__fish_capable_using_subcommand run" -l drop -d 'Drop these from every set' -r -f -a "chown\t''
dac_override\t''
dac_read_search\t''
fowner\t''
fsetid\t''
kill\t''
setgid\t''
setuid\t''
setpcap\t''
linux_immutable\t''
net_bind_service\t''
net_broadcast\t''
net_admin\t''
net_raw\t''
ipc_lock\t''
ipc_owner\t''
sys_module\t''
sys_rawio\t''
sys_chroot\t''
sys_ptrace\t''
sys_pacct\t''
sys_admin\t''
sys_boot\t''
sys_nice\t''
sys_resource\t''
sys_time\t''
sys_tty_config\t''
mknod\t''
lease\t''
audit_write\t''
audit_control\t''
setfcap\t''
mac_override\t''
mac_admin\t''
syslog\t''
wake_alarm\t''
block_suspend\t''
audit_read\t''
perfmon\t''
bpf\t''
checkpoint_restore\t''"
complete -c capable -n "__fish_capable_using_subcommand run" -l securebits -d 'Set these securebits, such as noroot,noroot-locked' -r -f
complete -c capable -n "__fish_capable_using_subcommand run" -l hook -d 'Hook to use; by default the most complete one that works here' -r -f -a "kprobe\t'A kprobe on cap_capable, which works out the result itself'
kretprobe\t'A kprobe on cap_capable for the arguments, with a kretprobe for the result'
fexit\t'A BPF program that runs when cap_capable returns'
tracepoint\t'The tracepoint capability:cap_capable (Linux 6.14 and later)'"
complete -c capable -n "__fish_capable_using_subcommand run" -l transport -d 'Transport to use; by default the best that works here' -r -f -a "ring\t'The BPF ring buffer, shared by all processors (Linux 5.8 and later)'
perf\t'One perf buffer per processor'"
complete -c capable -n "__fish_capable_using_subcommand run" -l buffer-size -d 'Size of the buffer for records, such as 512K or 8M' -r -f
complete -c capable -n "__fish_capable_using_subcommand run" -l wait -d 'Report when the last descendant has ended, not already when the command has'
complete -c capable -n "__fish_capable_using_subcommand run" -l no-new-privs -d 'Set no_new_privs: set-user-ID programs and file capabilities add nothing'
complete -c capable -n "__fish_capable_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c capable -n "__fish_capable_using_subcommand why" -s o -l output -d 'Format; JSON is the report that `capable run` writes' -r -f -a "text\t'For a terminal, on standard error'
json\t'For a program, on standard output'"
complete -c capable -n "__fish_capable_using_subcommand why" -l user -d 'Run the command as this user, by name or number, with its groups' -r -f -a "(__fish_complete_users)"
complete -c capable -n "__fish_capable_using_subcommand why" -l group -d 'Run the command as this group, by name or number' -r -f
complete -c capable -n "__fish_capable_using_subcommand why" -l caps -d 'Set every capability set (permitted, effective, inheritable, ambient, bounding) to exactly these, or to \'none\'' -r -f -a "chown\t''
dac_override\t''
dac_read_search\t''
fowner\t''
fsetid\t''
kill\t''
setgid\t''
setuid\t''
setpcap\t''
linux_immutable\t''
net_bind_service\t''
net_broadcast\t''
net_admin\t''
net_raw\t''
ipc_lock\t''
ipc_owner\t''
sys_module\t''
sys_rawio\t''
sys_chroot\t''
sys_ptrace\t''
sys_pacct\t''
sys_admin\t''
sys_boot\t''
sys_nice\t''
sys_resource\t''
sys_time\t''
sys_tty_config\t''
mknod\t''
lease\t''
audit_write\t''
audit_control\t''
setfcap\t''
mac_override\t''
mac_admin\t''
syslog\t''
wake_alarm\t''
block_suspend\t''
audit_read\t''
perfmon\t''
bpf\t''
checkpoint_restore\t''"
complete -c capable -n "__fish_capable_using_subcommand why" -l drop -d 'Drop these from every set' -r -f -a "chown\t''
dac_override\t''
dac_read_search\t''
fowner\t''
fsetid\t''
kill\t''
setgid\t''
setuid\t''
setpcap\t''
linux_immutable\t''
net_bind_service\t''
net_broadcast\t''
net_admin\t''
net_raw\t''
ipc_lock\t''
ipc_owner\t''
sys_module\t''
sys_rawio\t''
sys_chroot\t''
sys_ptrace\t''
sys_pacct\t''
sys_admin\t''
sys_boot\t''
sys_nice\t''
sys_resource\t''
sys_time\t''
sys_tty_config\t''
mknod\t''
lease\t''
audit_write\t''
audit_control\t''
setfcap\t''
mac_override\t''
mac_admin\t''
syslog\t''
wake_alarm\t''
block_suspend\t''
audit_read\t''
perfmon\t''
bpf\t''
checkpoint_restore\t''"
complete -c capable -n "__fish_capable_using_subcommand why" -l securebits -d 'Set these securebits, such as noroot,noroot-locked' -r -f
complete -c capable -n "__fish_capable_using_subcommand why" -l hook -d 'Hook to use; by default the most complete one that works here' -r -f -a "kprobe\t'A kprobe on cap_capable, which works out the result itself'
kretprobe\t'A kprobe on cap_capable for the arguments, with a kretprobe for the result'
fexit\t'A BPF program that runs when cap_capable returns'
tracepoint\t'The tracepoint capability:cap_capable (Linux 6.14 and later)'"
complete -c capable -n "__fish_capable_using_subcommand why" -l transport -d 'Transport to use; by default the best that works here' -r -f -a "ring\t'The BPF ring buffer, shared by all processors (Linux 5.8 and later)'
perf\t'One perf buffer per processor'"
complete -c capable -n "__fish_capable_using_subcommand why" -l buffer-size -d 'Size of the buffer for records, such as 512K or 8M' -r -f
complete -c capable -n "__fish_capable_using_subcommand why" -l wait -d 'Wait until the last descendant has ended, not only the command'
complete -c capable -n "__fish_capable_using_subcommand why" -l no-new-privs -d 'Set no_new_privs: set-user-ID programs and file capabilities add nothing'
complete -c capable -n "__fish_capable_using_subcommand why" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c capable -n "__fish_capable_using_subcommand profile" -s p -l pid -d 'This process and its descendants, including those forked later' -r -f
complete -c capable -n "__fish_capable_using_subcommand profile" -l unit -d 'This unit of the system\'s systemd, with all that it starts' -r -f
complete -c capable -n "__fish_capable_using_subcommand profile" -l user-unit -d 'This unit of users\' systemd, of each user who runs it' -r -f
complete -c capable -n "__fish_capable_using_subcommand profile" -l cgroup -d 'This cgroup and those below it' -r -f -a "(__fish_complete_directories)"
complete -c capable -n "__fish_capable_using_subcommand profile" -l container -d 'This container, by its name or the first characters of its id' -r -f
complete -c capable -n "__fish_capable_using_subcommand profile" -s d -l duration -d 'Stop and report after this time: 30s, 5m, 1.5h, 2d' -r -f
complete -c capable -n "__fish_capable_using_subcommand profile" -l table-size -d 'Number of rows in the kernel\'s table of counts' -r -f
complete -c capable -n "__fish_capable_using_subcommand profile" -s o -l output -d 'Format of the report' -r -f -a "text\t'For a terminal'
json\t'For a program, and for --baseline'
markdown\t'For an issue or a wiki'"
complete -c capable -n "__fish_capable_using_subcommand profile" -l report -d 'Write the report to this file; \'-\' is stdout' -r -F
complete -c capable -n "__fish_capable_using_subcommand profile" -l emit -d 'Also write the needed set in this format, alone on stdout or to FILE: systemd, docker, compose, podman, kubernetes, setcap, capsh, apparmor, oci, nspawn, lxc, json' -r -f -a "systemd\t'A drop-in for a systemd unit'
docker\t'Options for docker run'
compose\t'A service in a compose file'
podman\t'Options for podman run'
kubernetes\t'A container\'s securityContext'
setcap\t'File capabilities'
capsh\t'A command that runs the program with exactly this set'
apparmor\t'Rules for an AppArmor profile'
oci\t'What to put over the config.json of an OCI bundle'
nspawn\t'Settings of a container of systemd-nspawn'
lxc\t'Configuration of a container of LXC'
json\t'The set and what is known of it, for a program'"
complete -c capable -n "__fish_capable_using_subcommand profile" -l allow -d 'Exit with 3 if a capability was needed or used that is not in this list, or in the list in this file' -r -F
complete -c capable -n "__fish_capable_using_subcommand profile" -l baseline -d 'Exit with 3 if a capability was needed or used that this earlier JSON report does not have' -r -F
complete -c capable -n "__fish_capable_using_subcommand profile" -l hook -d 'Hook to use; by default the most complete one that works here' -r -f -a "kprobe\t'A kprobe on cap_capable, which works out the result itself'
kretprobe\t'A kprobe on cap_capable for the arguments, with a kretprobe for the result'
fexit\t'A BPF program that runs when cap_capable returns'
tracepoint\t'The tracepoint capability:cap_capable (Linux 6.14 and later)'"
complete -c capable -n "__fish_capable_using_subcommand profile" -l transport -d 'Transport to use; by default the best that works here' -r -f -a "ring\t'The BPF ring buffer, shared by all processors (Linux 5.8 and later)'
perf\t'One perf buffer per processor'"
complete -c capable -n "__fish_capable_using_subcommand profile" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c capable -n "__fish_capable_using_subcommand list" -s o -l output -d 'How to write it' -r -f -a "table\t'A line for each'
json\t'One object per line for each'"
complete -c capable -n "__fish_capable_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c capable -n "__fish_capable_using_subcommand explain" -s o -l output -d 'How to write it' -r -f -a "text\t'Paragraphs, as wide as the terminal'
json\t'One object per line for each capability, system call, function, topic and text'"
complete -c capable -n "__fish_capable_using_subcommand explain" -l sites -d 'List every place in the kernel that asks for the capability, not only the most telling'
complete -c capable -n "__fish_capable_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c capable -n "__fish_capable_using_subcommand inspect" -s o -l output -d 'How to write it' -r -f -a "table\t'A table'
json\t'One object per line, for each process, file or unit'"
complete -c capable -n "__fish_capable_using_subcommand inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c capable -n "__fish_capable_using_subcommand doctor" -s o -l output -d 'How to write it' -r -f -a "text\t'A table, and the plan below it'
json\t'One object'"
complete -c capable -n "__fish_capable_using_subcommand doctor" -l hook -d 'Check this hook' -r -f -a "kprobe\t'A kprobe on cap_capable, which works out the result itself'
kretprobe\t'A kprobe on cap_capable for the arguments, with a kretprobe for the result'
fexit\t'A BPF program that runs when cap_capable returns'
tracepoint\t'The tracepoint capability:cap_capable (Linux 6.14 and later)'"
complete -c capable -n "__fish_capable_using_subcommand doctor" -l transport -d 'Check this transport' -r -f -a "ring\t'The BPF ring buffer, shared by all processors (Linux 5.8 and later)'
perf\t'One perf buffer per processor'"
complete -c capable -n "__fish_capable_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c capable -n "__fish_capable_using_subcommand help; and not __fish_seen_subcommand_from trace top run why profile list explain inspect doctor help" -f -a "trace" -d 'Show capability checks as they happen (the default)'
complete -c capable -n "__fish_capable_using_subcommand help; and not __fish_seen_subcommand_from trace top run why profile list explain inspect doctor help" -f -a "top" -d 'Show which processes make the most capability checks'
complete -c capable -n "__fish_capable_using_subcommand help; and not __fish_seen_subcommand_from trace top run why profile list explain inspect doctor help" -f -a "run" -d 'Run a command and report which capabilities it needs'
complete -c capable -n "__fish_capable_using_subcommand help; and not __fish_seen_subcommand_from trace top run why profile list explain inspect doctor help" -f -a "why" -d 'Run a command and say why it was refused what it was refused'
complete -c capable -n "__fish_capable_using_subcommand help; and not __fish_seen_subcommand_from trace top run why profile list explain inspect doctor help" -f -a "profile" -d 'Report which capabilities a running process, unit or container needs'
complete -c capable -n "__fish_capable_using_subcommand help; and not __fish_seen_subcommand_from trace top run why profile list explain inspect doctor help" -f -a "list" -d 'List every capability: explain without arguments'
complete -c capable -n "__fish_capable_using_subcommand help; and not __fish_seen_subcommand_from trace top run why profile list explain inspect doctor help" -f -a "explain" -d 'Explain what a capability allows, what asks for it, and what is narrower; or list all'
complete -c capable -n "__fish_capable_using_subcommand help; and not __fish_seen_subcommand_from trace top run why profile list explain inspect doctor help" -f -a "inspect" -d 'Show the capabilities of processes, files and units; or who holds any'
complete -c capable -n "__fish_capable_using_subcommand help; and not __fish_seen_subcommand_from trace top run why profile list explain inspect doctor help" -f -a "doctor" -d 'Check whether tracing works here, how, and what is missing'
complete -c capable -n "__fish_capable_using_subcommand help; and not __fish_seen_subcommand_from trace top run why profile list explain inspect doctor help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c capable -n "__fish_capable_using_subcommand explain" -f -a "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore sets execve setuid ambient inheritable bounding no_new_privs securebits file-capabilities user-namespaces"
