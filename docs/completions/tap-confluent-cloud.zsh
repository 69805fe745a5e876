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
'*--config=[Settings file (JSON); may be repeated, later files take precedence. Files take precedence over variables TAP_CONFLUENT_CLOUD_*, unless \`--config ENV\` gives these a place among the files]:FILE:_default' \
'--catalog=[Singer or Airbyte catalog of the streams to read; without it, all offered streams are read]:FILE:_default' \
'--state=[State file to resume from; the last state in it is used, so the output of a run or its target works]:FILE:_default' \
'--protocol=[Output protocol; by default Singer for flags and Airbyte for sub-commands, except that \`read\` is Singer without a catalog or with a Singer catalog]:PROTOCOL:(singer airbyte)' \
'--log-level=[Minimum log level; by default info, or the level in the file that SINGER_SDK_LOG_CONFIG names]:LEVEL:(error warn info debug)' \
'--log-format=[Log format; by default text, or the format in that file. JSON is the format of the Singer SDK]:FORMAT:(text json)' \
'--format=[Output format of --about]:FORMAT:(text json markdown)' \
'--discover[Print the Singer catalog; needs no credentials]' \
'--test[Read one record of each stream, to test the settings]' \
'--about[Print name, version, capabilities and settings]' \
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
'*--config=[Settings file (JSON); may be repeated, later files take precedence. Files take precedence over variables TAP_CONFLUENT_CLOUD_*, unless \`--config ENV\` gives these a place among the files]:FILE:_default' \
'--catalog=[Singer or Airbyte catalog of the streams to read; without it, all offered streams are read]:FILE:_default' \
'--state=[State file to resume from; the last state in it is used, so the output of a run or its target works]:FILE:_default' \
'--protocol=[Output protocol; by default Singer for flags and Airbyte for sub-commands, except that \`read\` is Singer without a catalog or with a Singer catalog]:PROTOCOL:(singer airbyte)' \
'--log-level=[Minimum log level; by default info, or the level in the file that SINGER_SDK_LOG_CONFIG names]:LEVEL:(error warn info debug)' \
'--log-format=[Log format; by default text, or the format in that file. JSON is the format of the Singer SDK]:FORMAT:(text json)' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(check)
_arguments "${_arguments_options[@]}" : \
'*--config=[Settings file (JSON); may be repeated, later files take precedence. Files take precedence over variables TAP_CONFLUENT_CLOUD_*, unless \`--config ENV\` gives these a place among the files]:FILE:_default' \
'--catalog=[Singer or Airbyte catalog of the streams to read; without it, all offered streams are read]:FILE:_default' \
'--state=[State file to resume from; the last state in it is used, so the output of a run or its target works]:FILE:_default' \
'--protocol=[Output protocol; by default Singer for flags and Airbyte for sub-commands, except that \`read\` is Singer without a catalog or with a Singer catalog]:PROTOCOL:(singer airbyte)' \
'--log-level=[Minimum log level; by default info, or the level in the file that SINGER_SDK_LOG_CONFIG names]:LEVEL:(error warn info debug)' \
'--log-format=[Log format; by default text, or the format in that file. JSON is the format of the Singer SDK]:FORMAT:(text json)' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(discover)
_arguments "${_arguments_options[@]}" : \
'*--config=[Settings file (JSON); may be repeated, later files take precedence. Files take precedence over variables TAP_CONFLUENT_CLOUD_*, unless \`--config ENV\` gives these a place among the files]:FILE:_default' \
'--catalog=[Singer or Airbyte catalog of the streams to read; without it, all offered streams are read]:FILE:_default' \
'--state=[State file to resume from; the last state in it is used, so the output of a run or its target works]:FILE:_default' \
'--protocol=[Output protocol; by default Singer for flags and Airbyte for sub-commands, except that \`read\` is Singer without a catalog or with a Singer catalog]:PROTOCOL:(singer airbyte)' \
'--log-level=[Minimum log level; by default info, or the level in the file that SINGER_SDK_LOG_CONFIG names]:LEVEL:(error warn info debug)' \
'--log-format=[Log format; by default text, or the format in that file. JSON is the format of the Singer SDK]:FORMAT:(text json)' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(read)
_arguments "${_arguments_options[@]}" : \
'*--config=[Settings file (JSON); may be repeated, later files take precedence. Files take precedence over variables TAP_CONFLUENT_CLOUD_*, unless \`--config ENV\` gives these a place among the files]:FILE:_default' \
'--catalog=[Singer or Airbyte catalog of the streams to read; without it, all offered streams are read]:FILE:_default' \
'--state=[State file to resume from; the last state in it is used, so the output of a run or its target works]:FILE:_default' \
'--protocol=[Output protocol; by default Singer for flags and Airbyte for sub-commands, except that \`read\` is Singer without a catalog or with a Singer catalog]:PROTOCOL:(singer airbyte)' \
'--log-level=[Minimum log level; by default info, or the level in the file that SINGER_SDK_LOG_CONFIG names]:LEVEL:(error warn info debug)' \
'--log-format=[Log format; by default text, or the format in that file. JSON is the format of the Singer SDK]:FORMAT:(text json)' \
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
'spec:Print the connector specification' \
'check:Test the settings and the connection' \
'discover:Print the catalog' \
'read:Read the streams that the catalog selects' \
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
'spec:Print the connector specification' \
'check:Test the settings and the connection' \
'discover:Print the catalog' \
'read:Read the streams that the catalog selects' \
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
