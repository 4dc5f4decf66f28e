#!/usr/bin/env bash
# shellcheck disable=SC2154,SC2016,SC2034 # sourced: variables come from selftest.sh, and sh -c texts expand inside
# The signature code against a published example, so that the client and the
# server here can not just agree on the same mistake.
node_checks sigv4.mjs
