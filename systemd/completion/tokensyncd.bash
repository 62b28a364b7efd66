# bash completion for tokensyncd(8)

_tokensyncd() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local common='--config --help --version' options='' command='' at
  COMPREPLY=()

  case $before in
    --config)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return
      ;;
    --format)
      mapfile -t COMPREPLY < <(compgen -W 'text json github' -- "$word")
      return
      ;;
    --revision | --token | --commit | --since | --limit) return ;;
  esac

  for ((at = 1; at < COMP_CWORD; ++at)); do
    case ${COMP_WORDS[at]} in
      --config) ((++at)) ;;
      -*) ;;
      *)
        command=${COMP_WORDS[at]}
        break
        ;;
    esac
  done

  case $command in
    '')
      if [[ $word != -* ]]; then
        options='run sync plan validate status history audit trigger approve backup'
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        return
      fi
      options=$common
      ;;
    run) options=$common ;;
    sync) options="$common --revision" ;;
    plan) options="$common --revision --diff --json" ;;
    validate) options='--format --help --version' ;;
    status | audit | backup) options="$common --json" ;;
    history) options="$common --token --commit --since --limit --json" ;;
    trigger | approve) options="$common --wait" ;;
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  elif [[ $command == validate || $command == backup ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}

complete -F _tokensyncd tokensyncd
