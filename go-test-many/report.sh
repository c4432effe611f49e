# shellcheck shell=bash disable=SC2154,SC2034
# The part of go-test-many.sh that prints progress and results, and keeps logs.

# microseconds: sets now. A variable needs no subshell, and the main loop asks often.
microseconds() { now=${EPOCHREALTIME/[^0-9]/}; }

# show_duration MICROSECONDS: sets shown to text such as 0.31s, 12.0s or 3m05s.
show_duration() {
  local s=$(($1 / 1000000))
  if ((s < 10)); then
    printf -v shown '%d.%02ds' $s $(($1 % 1000000 / 10000))
  elif ((s < 60)); then
    printf -v shown '%d.%ds' $s $(($1 % 1000000 / 100000))
  elif ((s < 3600)); then
    printf -v shown '%dm%02ds' $((s / 60)) $((s % 60))
  else
    printf -v shown '%dh%02dm' $((s / 3600)) $((s % 3600 / 60))
  fi
}

# complaint OUTPUT: prints the test binary's message about wrong arguments, and fails if
# there is none. After the first === RUN line, such a message comes from a test.
complaint() {
  ! grep -qaE '^=== RUN ' "$1" || return
  local pattern='^testing: warning: no tests to run$'
  ((status == 0)) ||
    pattern='^testing: invalid regexp|^flag provided but not defined|^invalid (boolean )?value .* for (flag )?-'
  grep -m 1 -aE "$pattern" "$1"
}

# keep_log NUMBER OUTPUT TOOK: saves the output of a failed run under an unused name.
keep_log() {
  local log=test-$1.log k=2
  # With noclobber, the test for an unused name and its creation are one step.
  until (set -o noclobber && : >"$log") 2>/dev/null; do
    [[ -e $log ]] || finish_badly 1 "run $1 failed, but $PWD/$log cannot be written"
    log=test-$1-$k.log
    ((k += 1))
  done
  cat "$2" >"$log" || finish_badly 1 "run $1 failed, but $PWD/$log cannot be written"
  show_duration "$3"
  local line
  line="run $1 failed after $shown: $(failed_tests "$log") -> $log"
  failures+=("$line")
  clear_status
  printf '%s\n' "$line"
}

# failed_tests LOG: prints the failed tests. If there are none, it prints the tests that
# were running when the binary ended, and why it ended.
failed_tests() {
  awk -v status="$status" '
    /^=== RUN / && $3 !~ /\//        { running[$3]; order[++n] = $3 }
    /^=== PAUSE /                    { delete running[$3] }
    /^=== CONT / && $3 !~ /\//       { running[$3] }
    /^--- (PASS|SKIP|FAIL): /        { delete running[$3] }
    /^--- FAIL: /                    { names = names sep $3; sep = ", " }
    /^panic: test timed out/         { why = "timeout" }
    /^panic: / && why == ""          { why = "panic" }
    /^fatal error: / && why == ""    { why = "fatal error" }
    /^WARNING: DATA RACE/            { why = "data race" }
    END {
      if (names == "") {
        for (i = 1; i <= n; i++)
          if (order[i] in running) { names = names sep order[i]; sep = ", " }
        if (why == "") why = "exit status " status
      }
      printf "%s%s", names == "" ? "no test" : names, why == "" ? "" : " (" why ")"
    }' "$1"
}

# print_status: rewrites the status line if standard error is a terminal, or else prints
# one every ten seconds.
print_status() {
  local finished=$((passed + failed)) line
  microseconds
  local elapsed=$((now - started))
  ((live || elapsed >= next_line)) || return
  next_line=$((elapsed + 10000000))
  line="$finished/$runs done, ${#number_of[@]} running, $failed failed"
  show_duration "$elapsed"
  line+=", $shown elapsed"
  if ((finished > 0)); then
    show_duration $((elapsed * (runs - finished) / finished))
    line+=", about $shown left"
  fi
  if ((live)); then
    printf '\r\033[K%s' "$line"
  else
    printf '%s\n' "$line"
  fi >&2
}

# clear_status: erases the status line on a terminal.
clear_status() {
  ((!live)) || printf '\r\033[K' >&2
}

# summary: prints the totals, the times and the failures.
summary() {
  microseconds
  show_duration $((now - started))
  clear_status
  local finished=$((passed + failed))
  printf '\n%d of %d runs finished in %s: %d passed, %d failed\n' \
    "$finished" "$runs" "$shown" "$passed" "$failed"
  ((finished == 0)) && return
  local sorted min median
  mapfile -t sorted < <(printf '%s\n' "${times[@]}" | sort -n)
  show_duration "${sorted[0]}" && min=$shown
  show_duration "${sorted[finished / 2]}" && median=$shown
  show_duration "${sorted[finished - 1]}"
  printf 'time of a run: min %s, median %s, max %s\n' "$min" "$median" "$shown"
  ((failed == 0)) || printf '  %s\n' "${failures[@]}"
}
