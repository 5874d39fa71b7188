# codeens in a container: of a clone (`docker build -t codeens .`), or of codeens-VERSION-container.tar.gz (`docker build -t codeens - < …`).
#   docker run --rm -it -v "$PWD:/workspace" --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
#       --security-opt systempaths=unconfined codeens run orders.py::repeat_customers
# bubblewrap makes the sandbox's namespaces inside of the container, for which the three options are needed.
ARG BASE=python:3.13.7-slim-bookworm
FROM ${BASE}
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap git && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --user-group codeens && install -d -o codeens -g codeens /home/codeens/.local/share/codeens
COPY . /source
RUN python3 -m pip install --no-cache-dir -r /source/requirements-uv.lock \
    && uv pip install --system --no-cache -c /source/requirements.lock -b /source/requirements.lock "/source[postgres]"
USER codeens
WORKDIR /workspace
ENTRYPOINT ["codeens"]
CMD ["--help"]
