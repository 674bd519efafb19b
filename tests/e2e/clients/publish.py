"""Publishes the lines of standard input with paho-mqtt over mutual TLS at QoS 1 and prints the outcome of each.

Prints one JSON line per message: {"line": n, "acknowledged": bool, "reason": "..."}; for a refused
connection it prints {"refused": "..."} and exits with code 3.
"""

import argparse
import json
import ssl
import sys

import paho.mqtt.client as mqtt


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("host", "ca", "cert", "key", "client-id", "topic"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--version", choices=["3.1.1", "5"], required=True)
    return parser.parse_args()


def refuse(reason):
    print(json.dumps({"refused": str(reason)}), flush=True)
    sys.exit(3)


def main():
    options = arguments()
    version = mqtt.MQTTv5 if options.version == "5" else mqtt.MQTTv311
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=options.client_id, protocol=version)
    client.tls_set(ca_certs=options.ca, certfile=options.cert, keyfile=options.key, tls_version=ssl.PROTOCOL_TLS_CLIENT)
    answer, reasons = {}, {}
    client.on_connect = lambda _c, _u, _f, reason, _p: answer.setdefault("code", reason)
    client.on_connect_fail = lambda _c, _u: answer.setdefault("failed", "connection failed")
    client.on_disconnect = lambda _c, _u, _f, reason, _p: answer.setdefault("ended", str(reason))
    client.on_publish = lambda _c, _u, mid, reason, _p: reasons.setdefault(mid, str(reason))
    try:
        client.connect(options.host, options.port, keepalive=20)
    except (OSError, ssl.SSLError) as error:
        refuse(error)
    client.loop_start()
    for line, text in enumerate(sys.stdin):
        message = client.publish(options.topic, text.rstrip("\n").encode(), qos=1)
        try:
            message.wait_for_publish(timeout=10)
        except (RuntimeError, ValueError) as error:
            refuse(answer.get("code") or answer.get("ended") or error)
        if "ended" in answer and not message.is_published():
            refuse(answer["ended"])
        outcome = {"line": line, "acknowledged": message.is_published(), "reason": reasons.get(message.mid)}
        print(json.dumps(outcome), flush=True)
    client.disconnect()
    client.loop_stop()


main()
