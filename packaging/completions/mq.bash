# Completion of the mq tools for bash: each tool knows itself what can stand next (TOOL --complete WORDS...).
# Where it names nothing, files are completed.

_mq() {
  local words=() word glue=0 begun
  # Readline cuts words at = and :; the tools do not.
  for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ $word == [=:] || $glue -eq 1 ]] && [ ${#words[@]} -gt 0 ]; then
      words[-1]+=$word
      [[ $word == [=:] ]] && glue=1 || glue=0
    else
      words+=("$word")
    fi
  done
  begun=${words[-1]}
  COMPREPLY=()
  while IFS=$'\t' read -r word _; do
    # What stands before the last = or : is on the line already.
    if [[ $begun == *[=:]* ]]; then word=${word#"${begun%"${begun##*[=:]}"}"}; fi
    COMPREPLY+=("$word")
  done < <("${COMP_WORDS[0]}" --complete "${words[@]}" 2>/dev/null)
  if [ ${#COMPREPLY[@]} -eq 1 ] && [[ ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
  return 0
}

complete -o default -F _mq mqsend mqrecv mqstat mqctl mqdump
