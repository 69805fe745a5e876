#!/bin/sh
# Prints the lines of code of each file below the folders that are named, most first. Blank lines, comments and what
# follows the first `#[cfg(test)]` do not count, nor do files of unit tests.
find "$@" -name '*.rs' ! -name tests.rs | sort | while read -r file; do
    awk -v file="$file" '
        /^#\[cfg\(test\)\]/ { exit }
        !/^[ \t]*($|\/\/)/ { lines++ }
        END { print lines + 0, file }
    ' "$file"
done | sort -rn
