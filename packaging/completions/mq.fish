# Completion of the mq tools for fish: each tool knows itself what can stand next (TOOL --complete WORDS...).
# Where it names nothing, files are completed.

function __mq_complete
    set -l words (commandline -opc)
    set -l begun (commandline -ct)
    test (count $begun) -eq 0; and set begun ''
    set -l tool $words[1]
    $tool --complete $words[2..-1] $begun 2>/dev/null
end

for tool in mqsend mqrecv mqstat mqctl mqdump
    complete -c $tool -a '(__mq_complete)'
end
