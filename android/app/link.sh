#!/usr/bin/env bash
# link.sh AARS FRAMEWORK HOST KAKAO_KEY OUT: what the app's package says, made by Android's own tool. The resources of the libraries
# and of the app become one table (OUT/resources.apk) and the classes that name its rows (OUT/generated-sources/r); the manifest is
# completed (OUT/AndroidManifest.xml), and refused where it names what is not there. FRAMEWORK is a jar with the system's own table.
set -euo pipefail
cd "$(dirname "$0")"
aars=$1 framework=$2 host=$3 kakao_key=$4 out=$5

mkdir -p "$out/compiled"
# As a file of its own: the tool does not look into so big a jar.
if [ ! -f "$out/framework.apk" ]; then
    unzip -qo "$framework" resources.arsc AndroidManifest.xml -d "$out/framework"
    (cd "$out/framework" && zip -q0 "$out/framework.new" resources.arsc AndroidManifest.xml)
    mv "$out/framework.new" "$out/framework.apk"
    rm -r "$out/framework"
fi

tables=() packages=
for aar in "$aars"/*/; do
    name=$(basename "$aar")
    packages+=:$(sed -n 's/.*package="\([^"]*\)".*/\1/p' "$aar/AndroidManifest.xml" | head -1)
    [ -d "$aar/res" ] || continue
    [ -f "$out/compiled/$name.zip" ] || aapt2 compile --dir "$aar/res" -o "$out/compiled/$name.zip"
    tables+=(-R "$out/compiled/$name.zip")
done
aapt2 compile --dir src/main/res -o "$out/compiled/app.zip"
sed -e "s|\${host}|$host|g" -e "s|\${kakaoKey}|$kakao_key|g" src/main/AndroidManifest.xml >"$out/AndroidManifest.xml"

rm -rf "$out/generated-sources/r"
# Debian's one warns of a part of the system's table that is newer than itself; errors it says too, and fails.
aapt2 link -I "$out/framework.apk" --manifest "$out/AndroidManifest.xml" --auto-add-overlay \
    "${tables[@]}" -R "$out/compiled/app.zip" \
    --java "$out/generated-sources/r" --extra-packages "${packages#:}" -o "$out/resources.apk" \
    2> >(grep -v "Unknown chunk type '200'" >&2)
