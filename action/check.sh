# Writes the table of `codeens check`, for the summary of the job and for the comment; keeps the exit code for later.
set -euo pipefail
table=$RUNNER_TEMP/codeens.md
if [ -z "$PROJECT_PYTHON" ] && [ ! -e .venv ] && [ ! -e venv ]; then
    PROJECT_PYTHON=$(command -v python || command -v python3)
fi
options=(--base "${BASE:-HEAD^}" --max "$MOST" --effort "$EFFORT" --out "$table")
for kind in $FAIL_ON; do options+=(--fail-on "$kind"); done
if [ "$IMPROVE" = true ]; then
    options+=(--improve)
    if [ -n "$BUDGET_USD" ]; then options+=(--budget-usd "$BUDGET_USD"); fi
fi
if [ -n "$PROJECT_PYTHON" ]; then options+=(--python "$PROJECT_PYTHON"); fi
code=0
"$RUNNER_TEMP/codeens/bin/codeens" check "${options[@]}" > /dev/null || code=$?
# 3: a function is not as asked; all else is no result.
if [ "$code" != 0 ] && [ "$code" != 3 ]; then exit "$code"; fi
cat "$table" >> "$GITHUB_STEP_SUMMARY"
printf 'table=%s\ncode=%s\n' "$table" "$code" >> "$GITHUB_OUTPUT"
