#!/usr/bin/env bash
# Builds the example's images from Debian's packages: a Tomcat with a Java cut to what it needs, and
# two versions of a small application. No registry and no engine is asked.
#   out: build/images/hive-tomcat-1.0.tar, hive-tomcat-1.1.tar (`docker load` and hive read them)
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
root=$(readlink -f "$here/../..")
out=$root/build/images
mkdir -p "$out"
exec 9> "$out/.lock"
flock 9

stamp=$({ find "$here" -type f -print0 | sort -z | xargs -0 sha256sum
  dpkg-query -W libtomcat10-java openjdk-17-jre-headless libc6 busybox-static; } | sha256sum)
if [ "$(cat "$out/.inputs" 2>/dev/null)" = "$stamp" ] && [ -s "$out/hive-tomcat-1.1.tar" ]; then
  exit 0
fi
echo "building the example's images"
work=$(mktemp -d "$out/work.XXXXXX")
trap 'umount "$work/base/proc" 2>/dev/null || true; rm -rf "$work"' EXIT
jdk=/usr/lib/jvm/java-17-openjdk-amd64
base=$work/base
tomcat=$base/usr/local/tomcat

# --- the base layer: C library, shell, Java, Tomcat
mkdir -p "$base"/{bin,etc,proc,sys,dev,tmp,run,opt,usr/local,lib64,lib/x86_64-linux-gnu,root}
chmod 1777 "$base/tmp"
ln -s ../bin "$base/usr/bin"
cp /bin/busybox "$base/bin/busybox"
for applet in sh cat ls ps kill sleep wget hostname env dirname basename uname expr tr sed grep \
    head tail nslookup vi touch rm mkdir test id date tty; do
  ln -s busybox "$base/bin/$applet"
done
printf 'root:x:0:0:root:/root:/bin/sh\ntomcat:x:1000:1000::/usr/local/tomcat:/bin/sh\n' > "$base/etc/passwd"
printf 'root:x:0:\ntomcat:x:1000:\n' > "$base/etc/group"
echo 'hosts: files dns' > "$base/etc/nsswitch.conf"
"$jdk/bin/jlink" --strip-debug --no-header-files --no-man-pages --compress=0 --vm=server \
  --add-modules java.base,java.desktop,java.instrument,java.logging,java.management,java.naming,java.rmi,java.security.jgss,java.sql,java.xml,jdk.unsupported \
  --output "$base/opt/java"
# What java.desktop brings for screens and sound is not needed: only java.beans is.
rm -f "$base"/opt/java/lib/{libawt_xawt,libfontmanager,libfreetype,libharfbuzz,libjawt,libjsound,liblcms,libmlib_image,libjavajpeg,libsplashscreen}.so
find "$base/opt/java" -name '*.so' -exec strip --strip-unneeded {} +
find "$base/opt/java/bin" "$base/opt/java/lib" -type f \( -name '*.so' -o -perm -100 \) -print0 |
  xargs -0 -n 1 env LD_LIBRARY_PATH="$base/opt/java/lib:$base/opt/java/lib/server" ldd 2>/dev/null |
  awk '$2 == "=>" && $3 ~ /^\/(usr\/)?lib/ {print $3}' | sort -u |
  while read -r library; do cp -L "$library" "$base/lib/x86_64-linux-gnu/"; done
cp -L /lib/x86_64-linux-gnu/{libnss_dns,libresolv}.so.2 "$base/lib/x86_64-linux-gnu/"
cp -L /lib64/ld-linux-x86-64.so.2 "$base/lib64/"
mkdir -p "$tomcat"/{bin,lib,conf,logs,temp,webapps,work}
cp -L /usr/share/tomcat10/bin/{bootstrap.jar,tomcat-juli.jar,catalina.sh,setclasspath.sh} "$tomcat/bin/"
for jar in annotations-api catalina el-api jaspic-api jasper jasper-el jsp-api servlet-api tomcat-api \
    tomcat-coyote tomcat-jni tomcat-util tomcat-util-scan tomcat-websocket websocket-api \
    websocket-client-api; do
  [ ! -e "/usr/share/tomcat10/lib/$jar.jar" ] || cp -L "/usr/share/tomcat10/lib/$jar.jar" "$tomcat/lib/"
done
cp "$here"/conf/* "$tomcat/conf/"

# --- the application, twice
mkdir -p "$work/classes"
"$jdk/bin/javac" --release 17 -d "$work/classes" -cp /usr/share/tomcat10/lib/servlet-api.jar "$here"/app/src/*.java
for version in 1.0 1.1; do
  app=$work/app-$version/usr/local/tomcat/webapps/ROOT/WEB-INF
  mkdir -p "$app"
  cp -r "$work/classes" "$app/classes"
  cp "$here/app/WEB-INF/web.xml" "$app/"
done

# --- shared class data: without it each start loads some 4,000 classes from their jars
"$base/opt/java/bin/java" -Xshare:dump > /dev/null
flags="-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx128m -Xss512k -Djava.security.egd=file:/dev/urandom -Djava.awt.headless=true"
mount -t proc proc "$base/proc"
cp -r "$work/app-1.0/usr/local/tomcat/webapps/ROOT" "$tomcat/webapps/"
touch "$base/dev/null" && mkdir -p "$base/etc" && echo '127.0.0.1 localhost' > "$base/etc/hosts"
sed -i 's/port="8080"/port="0"/; s/port="8005"/port="-1"/' "$tomcat/conf/server.xml"
unshare --uts --net --fork --kill-child sh -c "hostname localhost; ip link set lo up; exec chroot '$base' env JAVA_HOME=/opt/java \
  CATALINA_OPTS='$flags -XX:ArchiveClassesAtExit=/usr/local/tomcat/lib/tomcat.jsa' \
  /usr/local/tomcat/bin/catalina.sh run" > "$work/train.log" 2>&1 &
training=$!
for _ in $(seq 100); do
  grep -q 'Server startup in' "$work/train.log" && break
  sleep 0.2
done
java_pid=$(pgrep -f "^/opt/java/bin/java.*ArchiveClassesAtExit" | while read -r pid; do
  [ "/proc/$pid/root/" -ef "$base/" ] && echo "$pid"; done || true)
if [ -n "$java_pid" ]; then kill -TERM "$java_pid"; else kill -KILL "$training"; fi
wait "$training" || true
umount "$base/proc"
if [ ! -s "$tomcat/lib/tomcat.jsa" ]; then
  tail -n 20 "$work/train.log" >&2
  echo "the class data archive was not made: Tomcat would start slowly" >&2
  exit 1
fi
cp "$here/conf/server.xml" "$tomcat/conf/server.xml"
rm -rf "$tomcat"/webapps/ROOT "$tomcat"/logs/* "$tomcat"/work/* "$base/dev/null" "$base/etc/hosts"
chown -R 1000:1000 "$tomcat"/{logs,temp,work}

pack() {  # DIRECTORY TAR: the same content gives the same bytes
  tar --sort=name --mtime=@0 --numeric-owner --format=gnu -C "$1" -cf "$2" .
}
pack "$base" "$work/base.tar"
for version in 1.0 1.1; do
  pack "$work/app-$version" "$work/app-$version.tar"
  cat > "$work/config.json" <<JSON
{"Env": ["PATH=/usr/local/tomcat/bin:/opt/java/bin:/bin:/usr/bin", "JAVA_HOME=/opt/java",
         "CATALINA_HOME=/usr/local/tomcat", "APP_VERSION=$version",
         "CATALINA_OPTS=$flags -XX:SharedArchiveFile=/usr/local/tomcat/lib/tomcat.jsa -Xshare:auto -Dapp.version=$version"],
 "Cmd": ["/usr/local/tomcat/bin/catalina.sh", "run"], "WorkingDir": "/usr/local/tomcat",
 "ExposedPorts": {"8080/tcp": {}}, "StopSignal": "SIGTERM",
 "Labels": {"org.opencontainers.image.version": "$version"}}
JSON
  python3 "$here/archive.py" "$work/image.tar" "hive-tomcat:$version" "$work/config.json" "$work/base.tar" "$work/app-$version.tar"
  mv "$work/image.tar" "$out/hive-tomcat-$version.tar"
done
echo "$stamp" > "$out/.inputs"
