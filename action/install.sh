# Installs codeens of this folder into an environment of its own, in the versions of its lock; once for a job.
set -euo pipefail
place=$RUNNER_TEMP/codeens
if [ ! -x "$place/bin/codeens" ]; then
    for python in python3.14 python3.13 python3.12 python3.11 python3 /usr/bin/python3; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null && break
    done
    "$python" -m venv "$place"
    "$place/bin/python" -m pip install --quiet -r "$ACTION/requirements-uv.lock"
    "$place/bin/uv" pip install --quiet --python "$place" -c "$ACTION/requirements.lock" -b "$ACTION/requirements.lock" "$ACTION"
fi
"$place/bin/codeens" sandbox install
