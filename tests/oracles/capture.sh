#!/bin/sh
# Calls by sipp, directly and through Kamailio, over UDP in fragments and over TCP, captured by tcpdump: in a network of
# their own, in the folder that is named. It holds caller.xml: what sipp says.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$1"
ip link set lo up mtu 1500
tcpdump -i lo -U -s 0 -w - > lo.pcap 2> /dev/null & first=$!
tcpdump -i any -U -s 0 -w - > any.pcap 2> /dev/null & second=$!
sleep 1
sipp -sn uas -i 127.0.0.1 -p 5070 -nostdin > /dev/null 2>&1 < /dev/null & udp=$!
sipp -sn uas -i 127.0.0.1 -p 5071 -t t1 -nostdin > /dev/null 2>&1 < /dev/null & tcp=$!
kamailio -f "$here/kamailio.cfg" -DD -E > kamailio.log 2>&1 & proxy=$!
sleep 1
call() {
    timeout 60 sipp -sf caller.xml "127.0.0.1:$1" -t "$2" -i 127.0.0.1 -p "$3" -m 50 -r 50 \
        -nostdin > /dev/null 2>&1 < /dev/null
}
call 5070 u1 5061
call 5071 t1 5062
call 5090 u1 5063
call 5090 t1 5064
sleep 1
kill "$first" "$second" "$proxy" "$udp" "$tcp"
