"""python -m harness --name NAME --port PORT [--machines [--cloud-init | --stock ROOT]]: serves until TERM.

The port is open at 127.0.0.1, and with machines at the gateway of their network too. A line
"ready" is printed when it answers."""
import argparse
import os
import signal
import threading

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from .server import Api
from .world import World


class Quiet(MotoRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *words):
        """Calls are kept by the Api."""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--region", default="eu-central-1")
    parser.add_argument("--machines", action="store_true")
    parser.add_argument("--cloud-init", action="store_true", help="Debian's own, in the machines")
    parser.add_argument("--stock", help="the root of the image that machines boot from, with cloud-init")
    words = parser.parse_args()
    os.environ.update(MOTO_PORT=str(words.port), AWS_ACCESS_KEY_ID="moto", AWS_SECRET_ACCESS_KEY="moto")
    world = World(words.region)
    world.install()
    addresses = ["127.0.0.1"]
    if words.machines:
        from . import machines
        addresses.append(machines.attach(world, words.name, words.port,
                                         words.cloud_init or bool(words.stock), words.stock))
    api = Api(world)
    servers = [make_server(address, words.port, api, threaded=True, request_handler=Quiet)
               for address in addresses]
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=world.run, daemon=True).start()
    print("ready", flush=True)
    ended.wait()
    world.close()


if __name__ == "__main__":
    main()
