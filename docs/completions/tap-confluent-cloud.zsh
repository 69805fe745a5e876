#compdef tap-confluent-cloud

autoload -U is-at-least

_tap-confluent-cloud() {
    typeset -A opt_args
    typeset -a _arguments_options
    local ret=1

    if is-at-least 5.2; then
        _arguments_options=(-s -S -C)
    else
        _arguments_options=(-s -C)
    fi

    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'*--config=[Settings\: a JSON file; repeatable, later ones win. Files win over variables TAP_CONFLUENT_CLOUD_*, unless \`--config ENV\` gives these a place among the files]:FILE:_default' \
'--catalog=[What to read\: a Singer or an Airbyte catalog; without it, everything]:FILE:_default' \
'--state=[Where to go on\: the last state in this file, which may hold all that a run or its target has printed]:FILE:_default' \
'--protocol=[Language of what is said; by default flags are Singer and sub-commands are Airbyte, except \`read\` without a catalog or with a Singer one]:PROTOCOL:(singer airbyte)' \
'--log-level=[Lowest level of the lines on stderr; info, unless the file in SINGER_SDK_LOG_CONFIG says otherwise]:LEVEL:(error warn info debug)' \
'--log-format=[Form of these lines\: text, or JSON as the Singer SDK writes it; text, unless that file says otherwise]:FORMAT:(text json)' \
'--format=[Form of --about]:FORMAT:(text json markdown)' \
'--discover[Print the Singer catalog; needs no credentials]' \
'--test[Read one record of each stream, to see whether the settings work]' \
'--about[Print what this is, what it can do and its settings]' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
":: :_tap-confluent-cloud_commands" \
"*::: :->tap-confluent-cloud" \
&& ret=0
    case $state in
    (tap-confluent-cloud)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:tap-confluent-cloud-command-$line[1]:"
        case $line[1] in
            (spec)
_arguments "${_arguments_options[@]}" : \
'*--config=[Settings\: a JSON file; repeatable, later ones win. Files win over variables TAP_CONFLUENT_CLOUD_*, unless \`--config ENV\` gives these a place among the files]:FILE:_default' \
'--catalog=[What to read\: a Singer or an Airbyte catalog; without it, everything]:FILE:_default' \
'--state=[Where to go on\: the last state in this file, which may hold all that a run or its target has printed]:FILE:_default' \
'--protocol=[Language of what is said; by default flags are Singer and sub-commands are Airbyte, except \`read\` without a catalog or with a Singer one]:PROTOCOL:(singer airbyte)' \
'--log-level=[Lowest level of the lines on stderr; info, unless the file in SINGER_SDK_LOG_CONFIG says otherwise]:LEVEL:(error warn info debug)' \
'--log-format=[Form of these lines\: text, or JSON as the Singer SDK writes it; text, unless that file says otherwise]:FORMAT:(text json)' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(check)
_arguments "${_arguments_options[@]}" : \
'*--config=[Settings\: a JSON file; repeatable, later ones win. Files win over variables TAP_CONFLUENT_CLOUD_*, unless \`--config ENV\` gives these a place among the files]:FILE:_default' \
'--catalog=[What to read\: a Singer or an Airbyte catalog; without it, everything]:FILE:_default' \
'--state=[Where to go on\: the last state in this file, which may hold all that a run or its target has printed]:FILE:_default' \
'--protocol=[Language of what is said; by default flags are Singer and sub-commands are Airbyte, except \`read\` without a catalog or with a Singer one]:PROTOCOL:(singer airbyte)' \
'--log-level=[Lowest level of the lines on stderr; info, unless the file in SINGER_SDK_LOG_CONFIG says otherwise]:LEVEL:(error warn info debug)' \
'--log-format=[Form of these lines\: text, or JSON as the Singer SDK writes it; text, unless that file says otherwise]:FORMAT:(text json)' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(discover)
_arguments "${_arguments_options[@]}" : \
'*--config=[Settings\: a JSON file; repeatable, later ones win. Files win over variables TAP_CONFLUENT_CLOUD_*, unless \`--config ENV\` gives these a place among the files]:FILE:_default' \
'--catalog=[What to read\: a Singer or an Airbyte catalog; without it, everything]:FILE:_default' \
'--state=[Where to go on\: the last state in this file, which may hold all that a run or its target has printed]:FILE:_default' \
'--protocol=[Language of what is said; by default flags are Singer and sub-commands are Airbyte, except \`read\` without a catalog or with a Singer one]:PROTOCOL:(singer airbyte)' \
'--log-level=[Lowest level of the lines on stderr; info, unless the file in SINGER_SDK_LOG_CONFIG says otherwise]:LEVEL:(error warn info debug)' \
'--log-format=[Form of these lines\: text, or JSON as the Singer SDK writes it; text, unless that file says otherwise]:FORMAT:(text json)' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(read)
_arguments "${_arguments_options[@]}" : \
'*--config=[Settings\: a JSON file; repeatable, later ones win. Files win over variables TAP_CONFLUENT_CLOUD_*, unless \`--config ENV\` gives these a place among the files]:FILE:_default' \
'--catalog=[What to read\: a Singer or an Airbyte catalog; without it, everything]:FILE:_default' \
'--state=[Where to go on\: the last state in this file, which may hold all that a run or its target has printed]:FILE:_default' \
'--protocol=[Language of what is said; by default flags are Singer and sub-commands are Airbyte, except \`read\` without a catalog or with a Singer one]:PROTOCOL:(singer airbyte)' \
'--log-level=[Lowest level of the lines on stderr; info, unless the file in SINGER_SDK_LOG_CONFIG says otherwise]:LEVEL:(error warn info debug)' \
'--log-format=[Form of these lines\: text, or JSON as the Singer SDK writes it; text, unless that file says otherwise]:FORMAT:(text json)' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_tap-confluent-cloud__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:tap-confluent-cloud-help-command-$line[1]:"
        case $line[1] in
            (spec)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(check)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(discover)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(read)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
}

(( $+functions[_tap-confluent-cloud_commands] )) ||
_tap-confluent-cloud_commands() {
    local commands; commands=(
'spec:Print the specification of the settings' \
'check:Check whether the settings work' \
'discover:Print the catalog' \
'read:Read what the catalog asks for' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'tap-confluent-cloud commands' commands "$@"
}
(( $+functions[_tap-confluent-cloud__subcmd__check_commands] )) ||
_tap-confluent-cloud__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'tap-confluent-cloud check commands' commands "$@"
}
(( $+functions[_tap-confluent-cloud__subcmd__discover_commands] )) ||
_tap-confluent-cloud__subcmd__discover_commands() {
    local commands; commands=()
    _describe -t commands 'tap-confluent-cloud discover commands' commands "$@"
}
(( $+functions[_tap-confluent-cloud__subcmd__help_commands] )) ||
_tap-confluent-cloud__subcmd__help_commands() {
    local commands; commands=(
'spec:Print the specification of the settings' \
'check:Check whether the settings work' \
'discover:Print the catalog' \
'read:Read what the catalog asks for' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'tap-confluent-cloud help commands' commands "$@"
}
(( $+functions[_tap-confluent-cloud__subcmd__help__subcmd__check_commands] )) ||
_tap-confluent-cloud__subcmd__help__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'tap-confluent-cloud help check commands' commands "$@"
}
(( $+functions[_tap-confluent-cloud__subcmd__help__subcmd__discover_commands] )) ||
_tap-confluent-cloud__subcmd__help__subcmd__discover_commands() {
    local commands; commands=()
    _describe -t commands 'tap-confluent-cloud help discover commands' commands "$@"
}
(( $+functions[_tap-confluent-cloud__subcmd__help__subcmd__help_commands] )) ||
_tap-confluent-cloud__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'tap-confluent-cloud help help commands' commands "$@"
}
(( $+functions[_tap-confluent-cloud__subcmd__help__subcmd__read_commands] )) ||
_tap-confluent-cloud__subcmd__help__subcmd__read_commands() {
    local commands; commands=()
    _describe -t commands 'tap-confluent-cloud help read commands' commands "$@"
}
(( $+functions[_tap-confluent-cloud__subcmd__help__subcmd__spec_commands] )) ||
_tap-confluent-cloud__subcmd__help__subcmd__spec_commands() {
    local commands; commands=()
    _describe -t commands 'tap-confluent-cloud help spec commands' commands "$@"
}
(( $+functions[_tap-confluent-cloud__subcmd__read_commands] )) ||
_tap-confluent-cloud__subcmd__read_commands() {
    local commands; commands=()
    _describe -t commands 'tap-confluent-cloud read commands' commands "$@"
}
(( $+functions[_tap-confluent-cloud__subcmd__spec_commands] )) ||
_tap-confluent-cloud__subcmd__spec_commands() {
    local commands; commands=()
    _describe -t commands 'tap-confluent-cloud spec commands' commands "$@"
}

if [ "$funcstack[1]" = "_tap-confluent-cloud" ]; then
    _tap-confluent-cloud "$@"
else
    compdef _tap-confluent-cloud tap-confluent-cloud
fi
