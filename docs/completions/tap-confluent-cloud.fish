# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_tap_confluent_cloud_global_optspecs
    string join \n config= catalog= state= protocol= log-level= log-format= discover test about format= h/help V/version
end

function __fish_tap_confluent_cloud_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_tap_confluent_cloud_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_tap_confluent_cloud_using_subcommand
    set -l cmd (__fish_tap_confluent_cloud_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -l config -d 'Settings file (JSON); may be repeated, later files take precedence. Files take precedence over variables TAP_CONFLUENT_CLOUD_*, unless `--config ENV` gives these a place among the files' -r
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -l catalog -d 'Singer or Airbyte catalog of the streams to read; without it, all offered streams are read' -r
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -l state -d 'State file to resume from; the last state in it is used, so the output of a run or its target works' -r
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -l protocol -d 'Output protocol; by default Singer for flags and Airbyte for sub-commands, except that `read` is Singer without a catalog or with a Singer catalog' -r -f -a "singer\t''
airbyte\t''"
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -l log-level -d 'Minimum log level; by default info, or the level in the file that SINGER_SDK_LOG_CONFIG names' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -l log-format -d 'Log format; by default text, or the format in that file. JSON is the format of the Singer SDK' -r -f -a "text\t''
json\t''"
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -l format -d 'Output format of --about' -r -f -a "text\t''
json\t''
markdown\t''"
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -l discover -d 'Print the Singer catalog; needs no credentials'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -l test -d 'Read one record of each stream, to test the settings'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -l about -d 'Print name, version, capabilities and settings'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -s h -l help -d 'Print help'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -s V -l version -d 'Print version'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -f -a "spec" -d 'Print the connector specification'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -f -a "check" -d 'Test the settings and the connection'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -f -a "discover" -d 'Print the catalog'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -f -a "read" -d 'Read the streams that the catalog selects'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand spec" -l config -d 'Settings file (JSON); may be repeated, later files take precedence. Files take precedence over variables TAP_CONFLUENT_CLOUD_*, unless `--config ENV` gives these a place among the files' -r
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand spec" -l catalog -d 'Singer or Airbyte catalog of the streams to read; without it, all offered streams are read' -r
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand spec" -l state -d 'State file to resume from; the last state in it is used, so the output of a run or its target works' -r
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand spec" -l protocol -d 'Output protocol; by default Singer for flags and Airbyte for sub-commands, except that `read` is Singer without a catalog or with a Singer catalog' -r -f -a "singer\t''
airbyte\t''"
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand spec" -l log-level -d 'Minimum log level; by default info, or the level in the file that SINGER_SDK_LOG_CONFIG names' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand spec" -l log-format -d 'Log format; by default text, or the format in that file. JSON is the format of the Singer SDK' -r -f -a "text\t''
json\t''"
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand spec" -s h -l help -d 'Print help'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand check" -l config -d 'Settings file (JSON); may be repeated, later files take precedence. Files take precedence over variables TAP_CONFLUENT_CLOUD_*, unless `--config ENV` gives these a place among the files' -r
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand check" -l catalog -d 'Singer or Airbyte catalog of the streams to read; without it, all offered streams are read' -r
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand check" -l state -d 'State file to resume from; the last state in it is used, so the output of a run or its target works' -r
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand check" -l protocol -d 'Output protocol; by default Singer for flags and Airbyte for sub-commands, except that `read` is Singer without a catalog or with a Singer catalog' -r -f -a "singer\t''
airbyte\t''"
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand check" -l log-level -d 'Minimum log level; by default info, or the level in the file that SINGER_SDK_LOG_CONFIG names' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand check" -l log-format -d 'Log format; by default text, or the format in that file. JSON is the format of the Singer SDK' -r -f -a "text\t''
json\t''"
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand check" -s h -l help -d 'Print help'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand discover" -l config -d 'Settings file (JSON); may be repeated, later files take precedence. Files take precedence over variables TAP_CONFLUENT_CLOUD_*, unless `--config ENV` gives these a place among the files' -r
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand discover" -l catalog -d 'Singer or Airbyte catalog of the streams to read; without it, all offered streams are read' -r
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand discover" -l state -d 'State file to resume from; the last state in it is used, so the output of a run or its target works' -r
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand discover" -l protocol -d 'Output protocol; by default Singer for flags and Airbyte for sub-commands, except that `read` is Singer without a catalog or with a Singer catalog' -r -f -a "singer\t''
airbyte\t''"
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand discover" -l log-level -d 'Minimum log level; by default info, or the level in the file that SINGER_SDK_LOG_CONFIG names' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand discover" -l log-format -d 'Log format; by default text, or the format in that file. JSON is the format of the Singer SDK' -r -f -a "text\t''
json\t''"
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand discover" -s h -l help -d 'Print help'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand read" -l config -d 'Settings file (JSON); may be repeated, later files take precedence. Files take precedence over variables TAP_CONFLUENT_CLOUD_*, unless `--config ENV` gives these a place among the files' -r
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand read" -l catalog -d 'Singer or Airbyte catalog of the streams to read; without it, all offered streams are read' -r
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand read" -l state -d 'State file to resume from; the last state in it is used, so the output of a run or its target works' -r
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand read" -l protocol -d 'Output protocol; by default Singer for flags and Airbyte for sub-commands, except that `read` is Singer without a catalog or with a Singer catalog' -r -f -a "singer\t''
airbyte\t''"
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand read" -l log-level -d 'Minimum log level; by default info, or the level in the file that SINGER_SDK_LOG_CONFIG names' -r -f -a "error\t''
warn\t''
info\t''
debug\t''"
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand read" -l log-format -d 'Log format; by default text, or the format in that file. JSON is the format of the Singer SDK' -r -f -a "text\t''
json\t''"
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand read" -s h -l help -d 'Print help'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand help; and not __fish_seen_subcommand_from spec check discover read help" -f -a "spec" -d 'Print the connector specification'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand help; and not __fish_seen_subcommand_from spec check discover read help" -f -a "check" -d 'Test the settings and the connection'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand help; and not __fish_seen_subcommand_from spec check discover read help" -f -a "discover" -d 'Print the catalog'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand help; and not __fish_seen_subcommand_from spec check discover read help" -f -a "read" -d 'Read the streams that the catalog selects'
complete -c tap-confluent-cloud -n "__fish_tap_confluent_cloud_using_subcommand help; and not __fish_seen_subcommand_from spec check discover read help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
