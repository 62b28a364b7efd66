# fish completion for tokensyncd(8)

set --local commands run sync plan validate status history audit trigger approve backup

function __tokensyncd_command --argument-names name description
    complete --command tokensyncd --condition __tokensyncd_wants_command --arguments $name --description $description
end

function __tokensyncd_option # the commands that have it, what it is, and what else `complete` takes
    complete --command tokensyncd --condition "__fish_seen_subcommand_from $argv[1]" --description $argv[2] $argv[3..]
end

function __tokensyncd_wants_command --inherit-variable commands
    not __fish_seen_subcommand_from $commands
end

complete --command tokensyncd --no-files
complete --command tokensyncd --short-option h --long-option help --description 'Print help and exit'
complete --command tokensyncd --long-option version --description 'Print the version and exit'
complete --command tokensyncd --condition 'not __fish_seen_subcommand_from validate' --long-option config \
    --require-parameter --force-files --description 'The configuration'

__tokensyncd_command run 'Run the daemon in the foreground'
__tokensyncd_command sync 'Make one pass, then exit'
__tokensyncd_command plan 'Show what a pass would do, without doing it'
__tokensyncd_command validate 'Check manifests, without configuration or network'
__tokensyncd_command status 'Show what the ledger holds and what waits'
__tokensyncd_command history 'Show the log of changes, newest last'
__tokensyncd_command audit 'Check that the log is whole and explains the ledger'
__tokensyncd_command trigger 'Tell the running daemon to make a pass now'
__tokensyncd_command approve 'Let a plan run that was held back'
__tokensyncd_command backup 'Copy the ledger into a new file'

__tokensyncd_option 'sync plan' 'The commit to read instead of the head' --long-option revision --exclusive
__tokensyncd_option plan 'Show field by field what changed' --long-option diff
__tokensyncd_option 'plan status history audit backup' 'Print JSON' --long-option json
__tokensyncd_option validate 'How problems are told' --long-option format --exclusive --arguments 'text json github'
__tokensyncd_option 'validate backup' '' --force-files
__tokensyncd_option history 'Only of the token PROJECT/COLLECTION/TOKENID' --long-option token --exclusive
__tokensyncd_option history 'Only of what this commit brought' --long-option commit --exclusive
__tokensyncd_option history 'Only from then on' --long-option since --exclusive
__tokensyncd_option history 'Only the newest records' --long-option limit --exclusive
__tokensyncd_option 'trigger approve' 'Return when that pass has ended' --long-option wait

functions --erase __tokensyncd_command __tokensyncd_option
