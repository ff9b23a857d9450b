"""The edge of a node with a real HAProxy and real requests; its controller is a file."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib.cluster import eventually  # noqa: E402
from lib.edge import App, Edge, backend  # noqa: E402
from lib.process import lives  # noqa: E402

PORT, TLS, RAW, BEHIND = 22380, 22381, 22382, 22383
HTTP = {"port": PORT, "mode": "http"}


def route(name, host="", path="", port=PORT):
    return {"listener_port": port, "host": host, "path_prefix": path, "backend": name}


@pytest.fixture(scope="module")
def edge(tmp_path_factory):
    with Edge(tmp_path_factory.mktemp("edge"), health_port=22389) as edge:
        yield edge


def get(path="/", host="shop.example.org", port=PORT, cookie=None, connection=None):
    """(answer as JSON, response headers); a status other than 200 is a failure."""
    own = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    own.request("GET", path, headers={"Host": host, **({"Cookie": cookie} if cookie else {})})
    answer = own.getresponse()
    body = answer.read()
    if connection is None:
        own.close()
    assert answer.status == 200, (answer.status, body)
    return json.loads(body), answer.headers


def status_of(path, host):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    connection.request("GET", path, headers={"Host": host})
    return connection.getresponse().status


@contextlib.contextmanager
def load(threads=8):
    """Clients that ask without a pause, half of them over kept connections, and never try again."""
    stop, failures, counts = threading.Event(), [], [0] * threads

    def client(number):
        kept = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10) if number % 2 else None
        while not stop.is_set():
            try:
                get(connection=kept)
                counts[number] += 1
            except Exception as error:  # whatever it is, it is a lost request
                failures.append(repr(error))
                if kept:
                    kept.close()
    workers = [threading.Thread(target=client, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield failures
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert min(counts) > 0


def test_routes_by_host_and_path(edge):
    with App("shop") as shop, App("api") as api, App("all") as rest, App("wild") as wild:
        edge.serve([HTTP],
                   [route("rest"), route("shop", "shop.example.org"), route("wild", "*.example.org"),
                    route("api", "shop.example.org", "/api"), route("api", "", "/v2/")],
                   [backend("shop", [shop]), backend("api", [api]), backend("rest", [rest]),
                    backend("wild", [wild])])
        assert all(edge.serves(name, [app]) for name, app in
                   (("shop", shop), ("api", api), ("rest", rest), ("wild", wild)))
        for path, host, who in [
                ("/", "shop.example.org", "shop"), ("/", "SHOP.example.org:8080", "shop"),
                ("/api", "shop.example.org", "api"), ("/api/x?y=1", "shop.example.org", "api"),
                ("/apix", "shop.example.org", "shop"), ("/api", "www.example.org", "wild"),
                ("/", "www.example.org", "wild"), ("/", "example.org", "all"),
                ("/v2/x", "other.test", "api"), ("/v2", "other.test", "all"),
                ("/", "127.0.0.1", "all")]:
            assert get(path, host)[0]["app"] == who, (path, host)


def test_nothing_there_is_404_and_nobody_ready_503(edge):
    with App("sick", healthy=False) as sick:
        edge.serve([HTTP], [route("sick", "sick.test")], [backend("sick", [sick])])
        assert eventually(lambda: status_of("/", "nobody.test") == 404, 20)
        assert status_of("/", "sick.test") == 503
        assert sick.seen == 0


def test_sticky_sessions_by_cookie(edge, tmp_path):
    sticky = {"sticky_cookie": "HIVE"}
    with App("a") as a, App("b") as b, App("c") as c:
        edge.serve([HTTP], [route("web")], [backend("web", [a, b, c], **sticky)])
        assert edge.serves("web", [a, b, c])
        first, headers = get()
        cookie = headers["Set-Cookie"].split(";")[0]
        assert "HttpOnly" in headers["Set-Cookie"]
        for _ in range(20):
            answer, again = get(cookie=cookie)
            assert answer["app"] == first["app"] and "Set-Cookie" not in again
        assert len({get()[0]["app"] for _ in range(30)}) == 3  # who has none is spread
        home, *others = sorted((a, b, c), key=lambda app: app.name != first["app"])
        # Leaving: those whom it knows stay, new ones go elsewhere.
        edge.serve([HTTP], [route("web")],
                   [backend("web", [home.endpoint(admit=False), *others], **sticky)])
        assert edge.serves("web", others)
        assert get(cookie=cookie)[0]["app"] == first["app"]
        assert first["app"] not in {get()[0]["app"] for _ in range(30)}
        # Gone: the session moves and gets another cookie; no request is lost.
        edge.serve([HTTP], [route("web")], [backend("web", others, **sticky)])
        assert eventually(lambda: get(cookie=cookie)[0]["app"] != first["app"], 20)
        moved, headers = get(cookie=cookie)
        cookie = headers["Set-Cookie"].split(";")[0]
        assert {get(cookie=cookie)[0]["app"] for _ in range(10)} == {moved["app"]}


def test_a_cookie_means_the_same_task_at_every_edge(edge, tmp_path_factory):
    with App("a", node="n1") as a, App("b", node="n2") as b, \
            Edge(tmp_path_factory.mktemp("other"), health_port=22388, node="n2") as other:
        table = [backend("web", [a, b], sticky_cookie="HIVE")]
        edge.serve([HTTP], [route("web")], table)
        other.serve([{"port": PORT + 10, "mode": "http"}], [route("web", port=PORT + 10)], table)
        assert edge.serves("web", [a, b]) and other.serves("web", [a, b])
        for port in (PORT, PORT + 10):
            first, headers = get(port=port)
            cookie = headers["Set-Cookie"].split(";")[0]
            for asked in (PORT, PORT + 10):
                assert {get(port=asked, cookie=cookie)[0]["app"] for _ in range(5)} == {first["app"]}


def test_own_tasks_first_others_when_there_is_none(edge):
    with App("own", node="n1") as own, App("far", node="n2") as far:
        edge.serve([HTTP], [route("web")], [backend("web", [own, far])])
        assert edge.serves("web", [own, far])
        assert {get()[0]["app"] for _ in range(20)} == {"own"}
        edge.serve([HTTP], [route("web")], [backend("web", [far])])
        assert edge.serves("web", [far])
        assert {get()[0]["app"] for _ in range(20)} == {"far"}


def test_others_when_own_ones_are_full(edge):
    with App("own", node="n1") as own, App("far", node="n2") as far:
        edge.serve([HTTP], [route("web")],
                   [backend("web", [own, far], max_connections_per_task=1)])
        assert edge.serves("web", [own, far])
        seen = []
        slow = [threading.Thread(target=lambda: seen.append(get("/slow")[0]["app"]))
                for _ in range(2)]
        for thread in slow:
            thread.start()
            assert eventually(lambda: own.open == 1, 10, 0.01)
        for thread in slow:
            thread.join()
        assert sorted(seen) == ["far", "own"]


def test_a_bound_changes_without_a_reload(edge):
    with App("a", node="n1") as a:
        def bounded(most):
            edge.serve([HTTP], [route("web")], [backend("web", [a], max_connections_per_task=most)])
            assert edge.serves("web", [a])
            assert eventually(lambda: edge.bounds("web") == {most}, 20, 0.05)
        bounded(1)
        pid = edge.pid()
        for most, open_together in ((3, 3), (2, 2)):
            bounded(most)
            asked = [threading.Thread(target=get, args=("/slow",)) for _ in range(4)]
            highest = 0
            for thread in asked:
                thread.start()
            while any(thread.is_alive() for thread in asked):
                highest = max(highest, a.open)
                time.sleep(0.01)
            assert highest == open_together
        assert edge.pid() == pid


def test_what_waits_for_a_task_has_come(edge):
    with App("a", node="n1") as a:
        edge.serve([HTTP], [route("web")], [backend("web", [a], max_connections_per_task=1)])
        assert edge.serves("web", [a])
        before, _ = edge.came("web")
        asked = [threading.Thread(target=get, args=("/slow",)) for _ in range(4)]
        for thread in asked:
            thread.start()
        assert eventually(lambda: edge.came("web") == (before + 4, 3), 10, 0.01)
        for thread in asked:
            thread.join()
        assert edge.came("web") == (before + 4, 0)


def make_pem(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key",
                    "-out", "cert", "-subj", "/CN=shop.example.org", "-days", "2", "-addext",
                    "subjectAltName=DNS:shop.example.org"], check=True, capture_output=True, cwd=folder)
    (folder / "both.pem").write_bytes((folder / "cert").read_bytes() + (folder / "key").read_bytes())
    return folder / "both.pem"


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    return make_pem(tmp_path_factory.mktemp("pem"))


def test_tls_listener(edge, pem):
    with App("a") as a:
        edge.serve([HTTP, {"port": TLS, "mode": "http", "certificate_pem": str(pem)}],
                   [route("web"), route("web", port=TLS)], [backend("web", [a])])
        assert edge.serves("web", [a])
        context = ssl.create_default_context(cafile=str(pem))
        with socket.create_connection(("127.0.0.1", TLS), timeout=10) as plain, \
                context.wrap_socket(plain, server_hostname="shop.example.org") as tls:
            tls.sendall(b"GET / HTTP/1.1\r\nHost: shop.example.org\r\nConnection: close\r\n\r\n")
            text = b"".join(iter(lambda: tls.recv(65536), b""))
        answer = json.loads(text.split(b"\r\n\r\n", 1)[1])
        assert answer["app"] == "a" and answer["proto"] == "https"
        assert get()[0]["proto"] == "http"
        with pytest.raises(OSError):  # no plain words there
            get(port=TLS)


def test_a_broken_certificate_stops_nobody_else(edge, pem, tmp_path):
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    tls = {"port": TLS, "mode": "http", "certificate_pem": str(bad)}
    with App("a") as a, App("b") as b:
        edge.serve([HTTP], [route("web")], [backend("web", [a])])
        assert edge.serves("web", [a])
        pid = edge.pid()
        edge.serve([HTTP, tls], [route("web"), route("web", port=TLS)], [backend("web", [b])])
        assert edge.serves("web", [b])
        assert get()[0]["app"] == "b" and edge.pid() == pid
        assert eventually(lambda: f"listener {TLS}: certificate {bad}" in edge.log(), 20)
        assert not accepts(TLS)
        # Repaired in its place: no word of a controller is needed.
        os.replace(shutil.copy(pem, tmp_path / "new.pem"), bad)
        assert eventually(lambda: accepts(TLS), 20)
        assert certificate_of(TLS) == ssl.PEM_cert_to_DER_cert((pem.parent / "cert").read_text())
        # Broken again: what was good is served on, and other changes go through.
        bad.write_text("no certificate")
        written = len(edge.log())
        edge.serve([HTTP, tls], [route("web"), route("web", port=TLS)], [backend("web", [a])])
        assert edge.serves("web", [a])
        assert eventually(lambda: "the last good one is served" in edge.log()[written:], 20)
        assert accepts(TLS)


def test_a_renewed_certificate_is_served_without_a_lost_request(edge, pem, tmp_path):
    mine = pathlib.Path(shutil.copy(pem, tmp_path / "mine.pem"))
    with App("a") as a:
        edge.serve([HTTP, {"port": TLS, "mode": "http", "certificate_pem": str(mine)}],
                   [route("web"), route("web", port=TLS)], [backend("web", [a])])
        assert edge.serves("web", [a]) and eventually(lambda: accepts(TLS), 20)
        old = certificate_of(TLS)
        with load() as failures:
            new = make_pem(tmp_path)
            os.replace(new, mine)
            assert eventually(lambda: certificate_of(TLS) != old, 20)
        assert failures == []


def test_a_port_that_is_taken_stops_nobody_else(edge):
    with App("a") as a, App("b") as b:
        with socket.create_server(("127.0.0.1", RAW)):
            edge.serve([HTTP], [route("web")], [backend("web", [a])])
            assert edge.serves("web", [a])
            pid = edge.pid()
            edge.serve([HTTP, {"port": RAW, "mode": "tcp"}], [route("web"), route("web", port=RAW)],
                       [backend("web", [b])])
            assert edge.serves("web", [b])
            assert edge.pid() == pid
            assert eventually(lambda: f"listener {RAW}: the port is not to be had" in edge.log(), 20)
        # It is free again.
        assert eventually(lambda: serves_at(RAW), 20)


def test_a_service_that_cannot_be_written_stops_nobody_else(edge):
    with App("a") as a, App("b") as b:
        edge.serve([HTTP], [route("odd", "odd.test"), route("web")],
                   [backend("odd", [a], sticky_cookie="a b"), backend("web", [b])])
        assert edge.serves("web", [b])
        assert get()[0]["app"] == "b"
        assert eventually(lambda: "service odd: the sticky cookie" in edge.log(), 20)


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def serves_at(port):
    try:
        return get(port=port)[0]["app"] == "b"
    except (OSError, http.client.HTTPException):
        return False


def certificate_of(port):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain, \
            context.wrap_socket(plain) as tls:
        return tls.getpeercert(binary_form=True)


def test_the_clients_address_reaches_the_application(edge):
    with App("a") as a, App("told", proxy_protocol=True) as told:
        edge.serve([HTTP, {"port": BEHIND, "mode": "http", "accept_proxy": True}],
                   [route("web"), route("told", "told.test"), route("web", port=BEHIND),
                    route("told", "told.test", port=BEHIND)],
                   [backend("web", [a]), backend("told", [told], proxy_protocol=True)])
        assert edge.serves("web", [a]) and edge.serves("told", [told])
        assert get()[0]["forwarded_for"] == ["127.0.0.1"]
        assert get(host="told.test")[0]["proxied"] == "127.0.0.1"
        # A balancer in front names the client by the PROXY protocol.
        for host, key, value in [("x.test", "forwarded_for", ["203.0.113.7"]),
                                 ("told.test", "proxied", "203.0.113.7")]:
            with socket.create_connection(("127.0.0.1", BEHIND), timeout=10) as s:
                s.sendall(b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 80\r\n"
                          b"GET / HTTP/1.1\r\nHost: " + host.encode() +
                          b"\r\nConnection: close\r\n\r\n")
                text = b"".join(iter(lambda: s.recv(65536), b""))
            assert json.loads(text.split(b"\r\n\r\n", 1)[1])[key] == value
        # Who does not say it is not let in.
        with pytest.raises((OSError, http.client.HTTPException)):
            get(port=BEHIND)


def test_tcp_passes_bytes_on(edge):
    with socket.create_server(("127.0.0.1", 0)) as echo:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = echo.accept()
                    connection.sendall(connection.recv(100)[::-1])
                    connection.close()
        threading.Thread(target=serve, daemon=True).start()
        endpoint = {"task_id": "echo", "service_id": "s", "node_id": "n1", "name": "echo",
                    "address": "127.0.0.1", "port": echo.getsockname()[1], "admit": True}
        edge.serve([HTTP, {"port": RAW, "mode": "tcp"}], [route("echo", port=RAW)],
                   [{"name": "echo", "mode": "tcp", "endpoints": [endpoint]}])
        assert eventually(lambda: edge.servers("echo"), 20)
        with socket.create_connection(("127.0.0.1", RAW), timeout=10) as s:
            s.sendall(b"\x00\x01drow")
            assert s.recv(100) == b"word\x01\x00"


def test_no_request_to_a_task_that_is_not_ready(edge):
    with App("ready") as ready, App("late", healthy=False) as late:
        edge.serve([HTTP], [route("web")], [backend("web", [ready])])
        assert edge.serves("web", [ready])
        pid = edge.pid()
        with load() as failures:
            edge.serve([HTTP], [route("web")], [backend("web", [ready, late])])
            # It is asked for its health again and again, and for nothing else.
            before = ready.seen
            assert eventually(lambda: ready.seen > before + 300, 20, 0.05)
            assert late.seen == 0 and edge.servers("web") == {f"127.0.0.1:{ready.port}"}
            late.healthy = True
            assert eventually(lambda: late.seen > 50, 20, 0.05)
        assert failures == []
        assert edge.pid() == pid


def test_tasks_come_and_go_without_a_reload(edge):
    edge.serve([HTTP], [route("web")], [backend("web", [])])
    apps = [App(f"first-{i}") for i in range(3)]
    edge.serve([HTTP], [route("web")], [backend("web", apps)])
    assert edge.serves("web", apps)
    pid = edge.pid()
    try:
        with load() as failures:
            for i in range(15):
                apps.append(App(f"next-{i}"))
                edge.serve([HTTP], [route("web")], [backend("web", apps)])
                assert edge.serves("web", apps)
                gone = apps.pop(0)
                edge.serve([HTTP], [route("web")], [backend("web", apps)])
                assert edge.serves("web", apps)
                # Nothing is under way to it either: what HAProxy has sent may not have arrived yet.
                assert eventually(lambda: edge.connections_in_use(gone) == 0 == gone.open, 10, 0.02)
                gone.close()
        assert failures == []
        assert edge.pid() == pid
        assert "did not take all changes" not in edge.log()
    finally:
        for app in apps:
            app.close()


def test_what_comes_on_a_connection_that_was_idle_over_a_reload_goes_to_the_tasks_of_now(edge, pem):
    """Such a connection is the replaced HAProxy's, whose tasks are gone by then."""
    listeners = [HTTP, {"port": TLS, "mode": "http", "certificate_pem": str(pem)},
                 {"port": BEHIND, "mode": "http", "accept_proxy": True}]
    routes = [route("web", port=port) for port in (PORT, TLS, BEHIND)]
    old, kept = App("old"), []
    edge.serve(listeners, routes, [backend("web", [old])])
    assert edge.serves("web", [old]) and eventually(lambda: accepts(TLS), 20)
    for port, head in ((PORT, b""), (PORT, b""), (TLS, b""),
                       (BEHIND, b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 80\r\n")):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.connect()
        connection.sock.sendall(head)
        if port == TLS:
            context = ssl.create_default_context(cafile=str(pem))
            connection.sock = context.wrap_socket(connection.sock, server_hostname="shop.example.org")
        kept.append(connection)
        assert get(connection=connection)[0]["app"] == "old"
    pid = edge.pid()
    with App("new") as new:
        for more in ("a.test", "b.test"):  # two reloads
            before = edge.pid()
            routes.append(route("web", more))
            edge.serve(listeners, routes, [backend("web", [old, new])])
            assert eventually(lambda: started(edge, before), 20)
        assert edge.serves("web", [old, new])
        edge.serve(listeners, routes, [backend("web", [new])])
        assert edge.serves("web", [new])
        old.close()
        for connection, client, proto in zip(kept, 3 * ["127.0.0.1"] + ["203.0.113.7"],
                                             ["http", "http", "https", "http"]):
            answer, headers = get("/slow", connection=connection)
            assert (answer["app"], answer["forwarded_for"], answer["proto"]) == ("new", [client], proto)
            assert headers["Connection"] == "close", "the next one comes to the new process"
        assert eventually(lambda: not lives(pid), 20)


def test_a_task_that_vanishes_is_passed_over(edge):
    with App("stays") as stays:
        goes = App("goes")
        edge.serve([HTTP], [route("web")], [backend("web", [stays, goes])])
        assert edge.serves("web", [stays, goes])
        goes.close()  # no table says so
        for _ in range(30):
            assert get()[0]["app"] == "stays"


@pytest.mark.parametrize("mode, port, more", [
    ("http", PORT, {}), ("http", PORT, {"sticky_cookie": "HIVE"}), ("tcp", RAW, {})],
    ids=["plain", "sticky", "tcp"])
def test_a_canary_that_vanishes_is_passed_over(edge, mode, port, more):
    with App("stays") as stays, App("far", node="n2") as far:
        canary = App("canary", node="n2")
        edge.serve([{"port": port, "mode": mode}], [route("web", port=port)],
                   [{**backend("web", [stays, far, {**canary.endpoint(), "canary": True}],
                               canary_percent=100, **more), "mode": mode}])
        assert edge.serves("web", [stays, far, canary])
        assert {get(port=port)[0]["app"] for _ in range(10)} == {"canary"}
        canary.close()  # no table says so
        answers = [get(port=port) for _ in range(30)]
        assert "canary" not in {answer["app"] for answer, _ in answers}
        assert {len(answer["forwarded_for"]) for answer, _ in answers} == {mode == "http"}, "the client, once"
        for answer, headers in answers if more else ():
            cookie, = headers.get_all("Set-Cookie")
            assert get(cookie=cookie.split(";")[0])[0]["app"] == answer["app"]


@pytest.mark.parametrize("mode, port, more", [
    ("http", PORT, {}), ("http", PORT, {"sticky_cookie": "HIVE"}),
    ("http", PORT, {"max_connections_per_task": 100}), ("tcp", RAW, {})],
    ids=["plain", "sticky", "bounded", "tcp"])
def test_what_an_own_task_left_behind_goes_to_other_nodes(edge, mode, port, more):
    """It ends by itself; what was given to it before the edge hears of that is no failure."""
    with App("far", node="n2") as far:
        own = App("own")
        there = [{**backend("web", [own, far], **more), "mode": mode}]
        edge.serve([{"port": port, "mode": mode}], [route("web", port=port)], there)
        assert edge.serves("web", [own, far])
        assert {get(port=port)[0]["app"] for _ in range(10)} == {"own"}
        own.close()
        with concurrent.futures.ThreadPoolExecutor(8) as clients:
            asked = [clients.submit(get, port=port) for _ in range(8)]
            time.sleep(0.2)  # they are refused, and wait to try again
            edge.serve([{"port": port, "mode": mode}], [route("web", port=port)],
                       [{**backend("web", [far], **more), "mode": mode}])
            answers = [one.result() for one in asked]
        assert {answer["app"] for answer, _ in answers} == {"far"}
        assert {len(answer["forwarded_for"]) for answer, _ in answers} == {mode == "http"}, "the client, once"
        if "sticky_cookie" in more:
            for _, headers in answers:
                cookie, = headers.get_all("Set-Cookie")
                assert get(cookie=cookie.split(";")[0])[0]["app"] == "far"


def test_haproxy_is_started_again(edge):
    with App("a") as a:
        edge.serve([HTTP], [route("web")], [backend("web", [a])])
        assert edge.serves("web", [a])
        pid = edge.pid()
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: started(edge, pid), 20)
        assert edge.serves("web", [a]) and get()[0]["app"] == "a"


def started(edge, old):
    try:
        return edge.pid() != old
    except OSError:
        return False


def test_the_agent_dies_and_haproxy_serves_on(edge):
    with App("a") as a, App("b") as b:
        edge.serve([HTTP], [route("web")], [backend("web", [a])])
        assert edge.serves("web", [a])
        pid = edge.pid()
        with load() as failures:
            edge.kill_agent()
            edge.start_agent()
            edge.serve([HTTP], [route("web")], [backend("web", [a, b])])
            assert edge.serves("web", [a, b])
            edge.serve([HTTP], [route("web")], [backend("web", [b])])
            assert edge.serves("web", [b])
        assert failures == []
        assert edge.pid() == pid


def test_the_agent_dies_in_the_middle_of_a_start(edge):
    """Nobody wrote down which HAProxy serves: the next agent replaces it, and leaves no second one."""
    with App("a") as a, App("b") as b:
        edge.serve([HTTP], [route("web")], [backend("web", [a])])
        assert edge.serves("web", [a])
        pid = edge.pid()
        with load() as failures:
            edge.kill_agent()
            (edge.folder / "edge/haproxy.pid").write_text("1 1\n")
            edge.serve([HTTP], [route("web")], [backend("web", [a, b])])
            edge.start_agent()
            assert eventually(lambda: started(edge, pid), 20)
            assert edge.serves("web", [a, b])
            assert eventually(lambda: not lives(pid), 20)
        assert failures == []


@pytest.mark.parametrize("text", ["", "{", "null", '{"listeners": 3}', "\x00\x01",
                                  '{"revision": 1, "listeners": [{"port": 99999}]}'])
def test_a_table_that_is_none_changes_nothing(edge, text):
    with App("a") as a:
        edge.serve([HTTP], [route("web")], [backend("web", [a])])
        assert edge.serves("web", [a])
        written = len(edge.log())
        edge.write(text)
        assert eventually(lambda: "wanted.json: " in edge.log()[written:], 20)
        assert get()[0]["app"] == "a"


def test_the_balancer_in_front_is_told(edge):
    with App("a") as a:
        edge.serve([HTTP], [route("web")], [backend("web", [a])])
        connection = http.client.HTTPConnection("127.0.0.1", edge.health_port, timeout=5)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
