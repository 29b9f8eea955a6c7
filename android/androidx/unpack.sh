#!/usr/bin/env bash
# unpack.sh LIBRARIES CLASSES AARS: the classes of jars and AARs into one folder, what else an AAR holds into a folder of its own.
set -euo pipefail
shopt -s nullglob
libraries=$1 classes=$2 aars=$3

rm -rf "$classes" "$aars"
mkdir -p "$classes"
for jar in "$libraries"/*.jar; do
    unzip -qo "$jar" -d "$classes"
done
for aar in "$libraries"/*.aar; do
    into=$aars/$(basename "$aar" .aar)
    mkdir -p "$into"
    unzip -qo "$aar" -d "$into"
    unzip -qo "$into/classes.jar" -d "$classes"
    rm "$into/classes.jar"
done
