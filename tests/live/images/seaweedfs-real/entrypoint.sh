#!/bin/sh
exec weed "$@"
