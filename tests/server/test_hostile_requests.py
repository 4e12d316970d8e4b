"""Request lines and headers that nobody means well with."""

import gzip
import zlib

import pytest
from django.conf import settings

from tests.process import Service
from tests.wire import (
    check,
    chunked,
    connect,
    exchange,
    label,
    post,
    receive_all,
    request,
    table,
)

NAME = b'{"name": "shopping"}'
LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
NO_HTML = "Accept: */*"

JSON = "Content-Type: application/json"
REQUESTS: dict[str, tuple[bytes, int]] = {
    # Content-Type
    **{
        label("Content-Type", value): (
            request("POST", "/lists", f"Content-Type: {value}", body=NAME),
            status,
        )
        for value, status in {
            "application/json": 201,
            "APPLICATION/JSON": 201,
            "application/json; charset=utf-8": 201,
            "application/json; charset=utf-16": 201,  # JSON has no such parameter
            'application/json; charset="': 201,
            "application/json;;;=;": 201,
            "application/json; boundary=x": 201,
            "application/json; charset=zlib": 201,
            "application/json; a*=no-encoding''b": 201,
            "application/json" + ";a=b" * 1900: 201,
            "": 415,
            "application": 415,
            "/": 415,
            "text/plain": 415,
            "text/html": 415,
            "application/xml": 415,
            "application/x-www-form-urlencoded": 415,
            "multipart/form-data": 415,
            "multipart/form-data; boundary=x": 415,
            "application/jsonp": 415,
            "application/merge-patch+json": 415,
            "application/json, text/plain": 415,
            "\xff\xfe/\xfd": 415,
            "x" * 8000: 415,
            "x/y" + ";a=b" * 1900: 415,
        }.items()
    },
    "no Content-Type": (request("POST", "/lists", body=NAME), 415),
    "a query in an encoding that is not of text": (
        request("GET", "/lists?limit=%31", f"{JSON}; charset=zlib"),
        200,
    ),
    "two Content-Types": (request("POST", "/lists", JSON, JSON, body=NAME), 400),
    # Content-Encoding
    **{
        label("Content-Encoding", value): (post(NAME, f"Content-Encoding: {value}"), status)
        for value, status in {
            "identity": 201,
            "": 201,
            "gzip": 415,
            "GZIP": 415,
            "br": 415,
            "gzip, identity": 415,
            "\xff": 415,
            "x" * 8000: 415,
        }.items()
    },
    "gzip that is gzip": (post(gzip.compress(NAME), "Content-Encoding: gzip"), 415),
    "deflate that is deflate": (post(zlib.compress(NAME), "Content-Encoding: deflate"), 415),
    # Content-Length
    **{
        label("Content-Length", value): (post(NAME, f"Content-Length: {value}"), status)
        for value, status in {
            "": 400,
            "-1": 400,
            "+20": 400,
            "20.0": 400,
            "0x14": 400,
            "2e1": 400,
            "20, 20": 400,
            "20 20": 400,
            "1_0": 400,
            "\xb2": 400,
            "twenty": 400,
            "9" * 5000: 400,
            str(LIMIT + 1): 413,
            "9999999999999999999999": 413,
            "0": 400,
            "00020": 201,
        }.items()
    },
    "two Content-Lengths": (post(NAME, "Content-Length: 20", "Content-Length: 20"), 400),
    "two Content-Lengths that differ": (post(NAME, "Content-Length: 20", "Content-Length: 2"), 400),
    "GET with a body": (request("GET", "/lists", JSON, body=b"rubbish"), 200),
    "GET with a body too large": (
        request("GET", "/lists", JSON, f"Content-Length: {LIMIT + 1}"),
        413,
    ),
    "DELETE with a body": (request("DELETE", "/lists/0", JSON, body=b"rubbish"), 404),
    # Transfer-Encoding
    **{
        label("Transfer-Encoding", value): (
            post(chunked(NAME), f"Transfer-Encoding: {value}"),
            status,
        )
        for value, status in {
            "chunked": 201,
            "CHUNKED": 201,
            "": 400,
            "identity": 400,
            "gzip": 400,
            "chunked, gzip": 400,
            "chunked, chunked": 400,
            "chunked, identity": 400,
            "xchunked": 400,
            "chunked;q=1": 400,
            "\x0bchunked": 400,
            "\xff": 400,
        }.items()
    },
    # A coding that the service would have to undo, inside of the chunks.
    "Transfer-Encoding gzip, chunked": (
        post(chunked(gzip.compress(NAME)), "Transfer-Encoding: gzip, chunked"),
        400,
    ),
    "Transfer-Encoding gzip, chunked, of plain JSON": (
        post(chunked(NAME), "Transfer-Encoding: gzip, chunked"),
        400,
    ),
    "Transfer-Encoding identity, chunked": (
        post(chunked(NAME), "Transfer-Encoding: identity, chunked"),
        400,
    ),
    "two Transfer-Encodings, of which one is gzip": (
        post(chunked(NAME), "Transfer-Encoding: gzip", "Transfer-Encoding: chunked"),
        400,
    ),
    "chunks and a length": (
        post(chunked(NAME), "Transfer-Encoding: chunked", "Content-Length: 20"),
        400,
    ),
    "chunks of HTTP/1.0": (
        request("POST", "/lists", JSON, "Transfer-Encoding: chunked", body=b"", version="HTTP/1.0"),
        400,
    ),
    "two Transfer-Encodings": (
        post(chunked(NAME), "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        400,
    ),
    "chunks of a GET": (
        request("GET", "/lists", "Transfer-Encoding: chunked", body=chunked(b"rubbish")),
        200,
    ),
    **{
        label("chunks", data): (post(data, "Transfer-Encoding: chunked"), status)
        for data, status in {
            b"0\r\n\r\n": 400,
            b"14\r\n" + NAME + b"\r\n0\r\n\r\n": 201,
            b"0014\r\n" + NAME + b"\r\n000\r\n\r\n": 201,
            b"14;a=b\r\n" + NAME + b"\r\n0\r\nX-Trailer: 1\r\n\r\n": 201,
            b"14;" + b"x" * 100_000: 431,
            b"0x14\r\n" + NAME + b"\r\n0\r\n\r\n": 400,
            b"-14\r\n" + NAME + b"\r\n0\r\n\r\n": 400,
            b"14\n" + NAME + b"\n0\n\n" + b"\r\n": 400,
            b"13\r\n" + NAME + b"\r\n0\r\n\r\n": 400,
            b"\r\n\r\n": 400,
            b"g\r\n\r\n": 400,
            b"14\r\n" + NAME + b"\r\n0\r\nContent-Length: 1\r\n\r\n": 400,
            b"14\r\n" + NAME + b"\r\n0\r\nHost: a\r\n\r\n": 400,
            b"14\r\n" + NAME + b"\r\n0\r\n" + b"X: 1\r\n" * 1000 + b"\r\n": 431,
            b"f" * 100 + b"\r\n" + bytes(2 * LIMIT): 400,
        }.items()
    },
    # Methods
    **{
        label(f"method {target}", method): (request(method, target, NO_HTML, body=body), status)
        for method, target, body, status in [
            ("HEAD", "/lists", None, 200),
            ("HEAD", "/lists/0", None, 404),
            ("OPTIONS", "/lists", None, 200),
            ("OPTIONS", "*", None, 404),
            ("PUT", "/lists", NAME, 405),
            ("PATCH", "/lists", NAME, 405),
            ("DELETE", "/lists", None, 405),
            ("POST", "/lists/1", NAME, 405),
            ("TRACE", "/lists", None, 405),
            ("POST", "/health/live", NAME, 405),
            ("DELETE", "/health/ready", None, 405),
            ("POST", "/schema", NAME, 405),
            ("POST", "/docs", NAME, 405),
            ("POST", "/nowhere", NAME, 404),
            ("POST", "/static/nowhere", NAME, 404),
            ("POST", "/admin/", NAME, 403),
            ("POST", "/admin/login/", NAME, 403),
            ("PUT", "/auth/login/", NAME, 403),
            ("POST", "/favicon.ico", NAME, 404),
            ("CONNECT", "localhost:80", None, 404),
            ("PROPFIND", "/lists", None, 405),
            ("QUERY", "/lists", None, 405),
            ("PURGE", "/", None, 405),
            ("GETGETGET", "/lists", None, 405),
            ("__CLASS__", "/lists", None, 405),
            ("get", "/lists", None, 400),
            ("Get", "/lists", None, 400),
            ("G", "/lists", None, 400),
            ("X" * 21, "/lists", None, 400),
            ("X" * 9000, "/lists", None, 414),
            ("GE(T", "/lists", None, 400),
            ("G\xc9T", "/lists", None, 400),
            ("GE\0T", "/lists", None, 400),
            ("", "/lists", None, 400),
        ]
    },
    "a method to override with": (
        post(b"", "X-HTTP-Method-Override: DELETE", target="/lists"),
        400,
    ),
    # Paths
    **{
        label("path", path): (request("GET", path, NO_HTML), status)
        for path, status in {
            "/": 200,
            "/lists/": 200,
            "/lists?": 200,
            "/lists#fragment": 200,
            "//": 404,
            "//lists": 404,
            "/lists//": 404,
            "/./lists": 404,
            "/../lists": 404,
            "/lists/..": 404,
            "/../../../../etc/passwd": 404,
            "/static/../project/settings.py": 404,
            "/static/%2e%2e/manage.py": 404,
            "/static/..%2f..%2fetc%2fpasswd": 404,
            "/static/%00": 404,
            "/static/": 404,
            "/%00": 404,
            "/lists%00": 404,
            "/lists/1%00": 404,
            "/lists/%00": 404,
            "/%ff": 404,
            "/%c0%ae%c0%ae/": 404,
            "/%ed%a0%80": 404,
            "/%F0%9F%9B%92": 404,
            "/lists/%ff": 404,
            "/%": 404,
            "/%zz": 404,
            "/%u0041": 404,
            "/%0d%0aSet-Cookie:%20a=b": 404,
            "/lists/%0d%0a": 404,
            "/lists%2f0": 404,
            "/lists;a=b": 404,
            "/lists/1;a=b": 404,
            "/LISTS": 404,
            "/lists.json": 404,
            "/lists/0": 404,
            "/lists/-1": 404,
            "/lists/+1": 404,
            "/lists/1.0": 404,
            "/lists/1e3": 404,
            "/lists/0x1": 404,
            "/lists/1_000": 404,
            "/lists/%201": 404,
            "/lists/null": 404,
            "/lists/NaN": 404,
            "/lists/%D9%A1": 404,  # Arabic-Indic one
            "/lists/%F0%9D%9F%8F": 404,  # mathematical bold one
            "/lists/%C2%B2": 404,  # superscript two
            "/lists/9223372036854775807": 404,
            "/lists/9223372036854775808": 404,
            "/lists/18446744073709551617": 404,
            "/lists/" + "9" * 100: 404,
            "/lists/" + "9" * 4000: 404,
            "/lists/" + "9" * 5000: 404,
            "/lists/" + "0" * 5000 + "0": 404,
            "/lists/1/2/3": 404,
            "/" + "x" * 8000: 404,
            "/" + "x" * 9000: 414,
            "/" + "/" * 8000: 404,
            "/" + "%2e%2e%2f" * 800: 404,
            "/health": 404,
            "/health/live/x": 404,
            "/health/../lists": 404,
            "/schema/x": 404,
            "/docs/x": 404,
            "/admin/x%00": 302,
            "/admin/../lists": 302,
            "/favicon.ico": 404,
            "/wp-login.php": 404,
            "/.git/config": 404,
            "/.env": 404,
            "lists": 400,
            "*": 400,
            "http://": 400,
            "http://[::1": 400,
            "http://[/lists": 400,
            "http://localhost/lists": 200,
            "http://evil.example/lists": 400,
            "ftp://localhost/lists": 400,
            "://": 400,
            "/lists\t": 400,
            "/li sts": 400,
            "/\xe9": 400,
            "/\x7f": 400,
            "/\0": 400,
        }.items()
    },
    "path of a change": (request("DELETE", "/lists/" + "9" * 5000), 404),
    "path of a change with unicode digits": (request("DELETE", "/lists/%D9%A1"), 404),
    # Queries
    **{
        label("query", query): (request("GET", f"/lists?{query}", NO_HTML), status)
        for query, status in {
            "limit=1": 200,
            "limit=1000": 200,
            "limit=0": 400,
            "limit=1001": 400,
            "limit=-1": 400,
            "limit=%2B1": 400,
            "limit=+1": 400,
            "limit=1.0": 400,
            "limit=1e2": 400,
            "limit=0x10": 400,
            "limit=1_0": 400,
            "limit=": 400,
            "limit": 400,
            "limit=ten": 400,
            "limit=%00": 400,
            "limit=1%00": 400,
            "limit=%ff": 400,
            "limit=%D9%A1": 400,
            "limit=%C2%B2": 400,
            "limit=%F0%9D%9F%8F": 400,
            "limit=" + "9" * 5000: 400,
            "limit=" + "0" * 5000 + "1": 400,
            "limit[]=1": 400,
            "limit[$gt]=1": 400,
            "limit=1&limit=rubbish": 400,
            "limit=rubbish&limit=1": 400,
            "limit=1" + "&limit=1" * 500: 400,
            "after=0": 200,
            "after=9223372036854775807": 200,
            "after=9223372036854775808": 400,
            "after=-1": 400,
            "after=": 400,
            "after=" + "9" * 5000: 400,
            "after=%00": 400,
            "after=%D9%A1": 400,
            "after=1;DROP TABLE x".replace(" ", "%20"): 400,
            "name=": 200,
            "name=%00": 400,
            "name=a%00b": 400,
            "name=%ff": 200,
            "name=%ed%a0%80": 200,
            "name=%ef%bf%bf": 200,
            "name=" + "x" * 255: 200,
            "name=" + "x" * 256: 400,
            "name__icontains=%00": 400,
            "name__icontains=%25%25%25": 200,
            "name__icontains=" + "%25" * 255: 200,
            "name__icontains=" + "%25" * 256: 400,
            "name__icontains=%5c": 200,
            "name__icontains=%27%22": 200,
            "name__icontains=%ff%fe": 200,
            "name__regex=(a*)*b": 400,
            "name__startswith=a": 400,
            "id__in=1": 400,
            "order_by=password": 400,
            "format=html": 400,
            "format=%00": 400,
            "%00=1": 400,
            "%ff=1": 400,
            "=": 400,
            "=1": 400,
            "&&&&": 200,
            "?": 400,
            "%": 400,
            "a" * 8000: 400,
            "&".join(f"p{i}=1" for i in range(900)): 400,
            "&".join(["a"] * 3000): 400,
            "&" * 7000: 400,
            "%26" * 2000: 400,
        }.items()
    },
    # Host
    **{
        label("Host", host): (request("GET", "/lists", NO_HTML, host=f"Host: {host}"), status)
        for host, status in {
            "localhost": 200,
            "LOCALHOST:5000": 200,
            "localhost.": 200,
            "tasks.localhost": 200,
            "127.0.0.1:99999": 200,
            "[::1]": 200,
            "": 400,
            "evil.example": 400,
            "localhost.evil.example": 400,
            "localhost@evil.example": 400,
            "evil.example#localhost": 400,
            "localhost/": 400,
            "localhost:port": 400,
            "localhost:5000:5000": 400,
            "local host": 400,
            "localhost, localhost": 400,
            "[::1": 400,
            "[::ffff:1%eth0]": 400,
            "\xe9": 400,
            "..": 400,
            "-": 400,
            "_": 400,
            "*": 400,
            "%00": 400,
            "<script>": 400,
            "x" * 8000: 400,
        }.items()
    },
    "no Host": (request("GET", "/lists", host=None), 400),
    "no Host in HTTP/1.0": (request("GET", "/lists", host=None, version="HTTP/1.0"), 400),
    "two Hosts": (request("GET", "/lists", "Host: localhost"), 400),
    "two Hosts that differ": (request("GET", "/lists", "Host: evil.example"), 400),
    # Any other header
    **{
        label("header", header): (request("GET", "/lists", NO_HTML, header), status)
        for header, status in {
            "X: " + "x" * 8000: 200,
            "X: " + "x" * 8190: 431,
            "X: " + "x" * 1_000_000: 431,
            "X" * 9000 + ": x": 431,
            "X: \xe9\xff": 200,
            "X: a\0b": 400,
            "X: a\x01b": 400,
            "X: a\x7fb": 400,
            "X: a\rb": 400,
            "X: a\nb": 400,
            "X: a\r\n folded": 400,
            "X : a": 400,
            " X: a": 400,
            "X\0: a": 400,
            "X\xe9: a": 400,
            "X(: a": 400,
            ": a": 400,
            "X": 400,
            "X:": 200,
            ":": 400,
            "X-Forwarded-For: ' OR 1=1": 200,
            "X-Forwarded-Host: evil.example": 200,
            "X-Forwarded-Proto: https": 200,
            "X-Forwarded-Proto: rubbish": 200,
            "X-Forwarded-Port: rubbish": 200,
            "X-Forwarded-Prefix: /evil": 200,
            "X-Forwarded-Ssl: on": 200,
            "X_Forwarded_Host: evil.example": 200,
            "Forwarded: for=;host=evil": 200,
            "X-Original-URL: /admin": 200,
            "SCRIPT_NAME: /evil": 200,
            "Script-Name: /evil": 200,
            "PATH_INFO: /evil": 200,
            "REMOTE_USER: admin": 200,
            "Remote-User: admin": 200,
            "X-Request-ID: fine-1": 200,
            "X-Request-ID: ": 200,
            "X-Request-ID: a b": 200,
            "X-Request-ID: \xe9": 200,
            "X-Request-ID: {}${jndi:ldap://x}": 200,
            "X-Request-ID: " + "x" * 8000: 200,
            "Expect: 100-continue": 200,
            "Expect: 200-ok": 417,
            "Expect: ": 417,
            "Connection: rubbish": 200,
            "Connection: Upgrade": 200,
            "Upgrade: websocket": 200,
            "Upgrade: h2c": 200,
            "TE: trailers": 200,
            "Range: bytes=0-1": 200,
            "Range: bytes=99999999999999999999-": 200,
            "Range: rubbish": 200,
            "If-Match: rubbish": 200,
            "If-None-Match: rubbish": 200,
            "If-Modified-Since: rubbish": 200,
            "If-Modified-Since: Thu, 99 Foo 99999 99:99:99 GMT": 200,
            "Accept-Language: \xff;q=9": 200,
            "Accept-Language: " + "a-b," * 1900: 200,
            "Accept-Encoding: rubbish;q=x": 200,
            "Accept-Charset: utf-7": 200,
            "Origin: rubbish": 200,
            "Origin: null": 200,
            "Origin: http://[": 200,
            "Origin: http://evil.example": 200,
            "Referer: http://[": 200,
            "User-Agent: \xff\xfe": 200,
            "User-Agent: %s%n{}": 200,
            "Cookie: sessionid=rubbish": 200,
            "Cookie: sessionid=" + "x" * 8000: 200,
            "Cookie: sessionid=\xff": 200,
            'Cookie: sessionid="; csrftoken=\\': 200,
            "Cookie: sessionid=../../etc/passwd; sessionid=a": 200,
            "Cookie: csrftoken=rubbish": 200,
            "Cookie: messages=rubbish": 200,
            "Cookie: ;;;=;=": 200,
            "Cookie: " + "a=b;" * 2000: 200,
            "Authorization: ": 200,
            "Authorization: rubbish": 401,
            "Authorization: Basic rubbish": 401,
            "Authorization: Bearer rubbish": 401,
            "Authorization: Token": 401,
            "Authorization: Token a b": 401,
            "Authorization: Token rubbish": 401,
            "Authorization: Token \xff": 401,
            "Authorization: Token \u00e9": 401,
            "Authorization: token " + "x" * 8000: 401,
        }.items()
    },
    "long cookies in several lines": (
        request("GET", "/lists", NO_HTML, *["Cookie: " + "a=b;" * 1500] * 2),
        431,
    ),
    "99 headers": (request("GET", "/lists", *(f"X-{i}: x" for i in range(98))), 200),
    "500 headers": (request("GET", "/lists", *(f"X-{i}: x" for i in range(500))), 431),
    "10,000 headers": (request("GET", "/lists", *(f"X-{i}: x" for i in range(10_000))), 431),
    "one header 99 times": (request("GET", "/lists", *["X: x"] * 98), 200),
    # Accept
    **{
        label("Accept", accept): (request("GET", "/lists", f"Accept: {accept}"), status)
        for accept, status in {
            "": 200,
            "*/*": 200,
            "*/*;q=0.1": 200,
            "application/*": 200,
            "application/json": 200,
            "APPLICATION/JSON": 200,
            "application/json;q=rubbish": 200,
            "application/json; indent=99999999": 200,
            "application/json;;;": 200,
            "text/plain, */*": 200,
            "application/xml": 406,
            "image/png": 406,
            "rubbish": 406,
            "/": 406,
            ",,,": 406,
            ";": 406,
            "\xff/\xfe": 406,
            "application/json;version=1": 200,
            "application/problem+json": 200,
            "application/problem+json;q=rubbish, image/png": 200,
            "x" * 8000: 406,
            "a/b," * 2000: 406,
            "a/b," * 1900 + "*/*": 406,  # more than 64 parts
            "a/b;c*=no-encoding''d": 406,
            "text/html;a*=no-encoding''b, */*": 200,
        }.items()
    },
    # If-Match
    **{
        label("If-Match", value): (request("DELETE", "/lists/0", f"If-Match: {value}"), 404)
        for value in ("*", "rubbish", '"', '"1', "W/", "\xff", ",,,", '"1"' * 2000)
    },
    "If-Match of too many tags": (
        request("DELETE", "/lists/0", "If-Match: " + '"1",' * 2000),
        400,
    ),
    # The first line
    **{
        label("bytes", data): (data, 400)
        for data in (
            b"GET /\r\n\r\n",
            b"GET /lists\r\n",
            b"GET\r\n\r\n",
            b"\r\n\r\n\r\n",
            b" GET /lists HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET  /lists HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET /lists  HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET\t/lists\tHTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET /lists HTTP/1.1\nHost: localhost\n\n",
            b"GET /lists HTTP/0.9\r\nHost: localhost\r\n\r\n",
            b"GET /lists HTTP/2.0\r\nHost: localhost\r\n\r\n",
            b"GET /lists HTTP/9.9\r\nHost: localhost\r\n\r\n",
            b"GET /lists HTTP/1.10\r\nHost: localhost\r\n\r\n",
            b"GET /lists HTTP/1\r\nHost: localhost\r\n\r\n",
            b"GET /lists HTTP/\xb9.1\r\nHost: localhost\r\n\r\n",
            b"GET /lists http/1.1\r\nHost: localhost\r\n\r\n",
            b"GET /lists HTTPS/1.1\r\nHost: localhost\r\n\r\n",
            b"GET /lists\0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
            b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET /lists HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"\r\n\r\n\0\r\nQUIT\n" + bytes(20) + b"\r\n",
            b"SSH-2.0-OpenSSH_9.6\r\n",
            b"*1\r\n$4\r\nPING\r\n",
            b"EHLO localhost\r\n",
            b'{"name": "shopping"}\r\n',
            b"\xff" * 100 + b"\r\n",
            bytes(range(256)),
        )
    },
    "a first line without end": (b"GET /" + b"x" * 100_000, 414),
    "headers without end": (
        b"GET /lists HTTP/1.1\r\nHost: localhost\r\n" + b"X: x\r\n" * 200_000,
        431,
    ),
    "a header without end": (b"GET /lists HTTP/1.1\r\nX: " + b"x" * 1_000_000, 431),
}


@pytest.mark.parametrize("headers", [["X: " + "x" * 8190], ["X: x"] * 101])
def test_what_headers_may_have_is_said(service: Service, headers: list[str]) -> None:
    answer = exchange(service, request("GET", "/lists", *headers))
    assert answer is not None
    assert answer.status == 431
    assert answer.json()["detail"] == "A request may have 100 header fields of 8190 bytes each."


@table(REQUESTS)
def test_request(service: Service, data: bytes, status: int) -> None:
    check(service, exchange(service, data), status)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"HEAD /lists HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n", 400),
        (b"\r\nHEAD /lists HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n", 400),
        (b"HEAD /lists HTTP/1.1\r\n\r\n", 400),
        (b"HEAD ftp://localhost/lists HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"HEAD /lists HTTP/1.1\nHost: localhost\n\n", 400),
        (b"HEAD /" + b"a" * 9000, 414),
        (b"HEAD /lists HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
    ],
)
def test_the_response_to_a_malformed_head_has_no_body(
    service: Service, head: bytes, status: int
) -> None:
    with connect(service) as connection:
        connection.sendall(head)
        answer = receive_all(connection)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert answer.endswith(b"\r\n\r\n")
    assert answer.count(b"\r\n\r\n") == 1
