"""`curl` and `wget`: what they fetch, send and write.

Source: curl 8 manual, GNU wget 1.21 manual.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import Contact, Copy, Effect, Note, Output, Run, Touch
from gateway.facts.shell.models import Invocation, Model
from gateway.facts.shell.options import Arguments, Grammar, parse_arguments
from gateway.facts.shell.values import Field

_CURL: Final = Grammar(
    valued=frozenset(
        [
            "-A",
            "-b",
            "-c",
            "-C",
            "-d",
            "-D",
            "-e",
            "-E",
            "-F",
            "-H",
            "-K",
            "-m",
            "-o",
            "-P",
            "-Q",
            "-r",
            "-t",
            "-T",
            "-u",
            "-U",
            "-w",
            "-x",
            "-X",
            "-y",
            "-Y",
            "-z",
            "--user-agent",
            "--cookie",
            "--cookie-jar",
            "--continue-at",
            "--data",
            "--data-ascii",
            "--data-binary",
            "--data-raw",
            "--data-urlencode",
            "--json",
            "--dump-header",
            "--referer",
            "--cert",
            "--key",
            "--cacert",
            "--capath",
            "--form",
            "--form-string",
            "--header",
            "--config",
            "--max-time",
            "--connect-timeout",
            "--output",
            "--output-dir",
            "--quote",
            "--range",
            "--upload-file",
            "--user",
            "--proxy-user",
            "--write-out",
            "--proxy",
            "--preproxy",
            "--socks5",
            "--socks5-hostname",
            "--socks4",
            "--request",
            "--url",
            "--resolve",
            "--connect-to",
            "--interface",
            "--limit-rate",
            "--retry",
            "--retry-delay",
            "--retry-max-time",
            "--max-redirs",
            "--netrc-file",
            "--trace",
            "--trace-ascii",
            "--unix-socket",
            "--abstract-unix-socket",
            "--dns-servers",
            "--doh-url",
            "--etag-save",
            "--etag-compare",
            "--stderr",
            "--hostpubmd5",
            "--pubkey",
            "--cert-type",
            "--key-type",
            "--pass",
            "--ciphers",
            "--tls-max",
            "--oauth2-bearer",
            "--aws-sigv4",
            "--noproxy",
            "--url-query",
            "--variable",
            "--libcurl",
            "--mail-from",
            "--mail-rcpt",
            "--proxy-header",
            "--time-cond",
            "--egd-file",
            "--random-file",
            "--crlfile",
        ]
    ),
)


def curl(invocation: Invocation, model: Model) -> list[Effect]:
    """`curl`: URLs are fetched; `@file`, `<file` and `-T` send files, `-o` and `-O` write them."""
    del model
    arguments = parse_arguments(invocation.argv, _CURL)
    effects: list[Effect] = []
    sent, from_input = _curl_sends(arguments)
    for name in ("-K", "--config"):
        effects.extend(Touch(action="read", path=path) for path in arguments.values(name))
    if arguments.has("-K", "--config"):
        effects.append(Note(reason="unknown_host", dimensions=("net",)))
    reads = arguments.values("-E", "--cert", "--key", "--cacert", "--netrc-file", "--etag-compare")
    cookies = [value for value in arguments.values("-b", "--cookie") if "=" not in value.text]
    effects.extend(
        Touch(action="read", path=Field(path.text.partition(":")[0], path.glob))
        for path in [*reads, *cookies]
    )
    if arguments.has("-n", "--netrc", "--netrc-optional"):
        effects.append(Touch(action="read", path=Field("~/.netrc")))
    written = arguments.values(
        "-c",
        "--cookie-jar",
        "-D",
        "--dump-header",
        "--trace",
        "--trace-ascii",
        "--stderr",
        "--etag-save",
        "--libcurl",
    )
    effects.extend(Touch(action="write", path=path) for path in written if path.text not in ("-", "%"))
    urls = [*arguments.operands, *arguments.values("--url")]
    hosts = arguments.values(
        "-x",
        "--proxy",
        "--preproxy",
        "--socks5",
        "--socks5-hostname",
        "--socks4",
        "--doh-url",
        "--dns-servers",
    )
    for rule in arguments.values("--connect-to"):
        host = re.split(r":(?![^\[]*\])", rule.text)
        hosts.extend([Field(host[2])] if len(host) > 2 and host[2] else [])
    for rule in arguments.values("--resolve"):
        hosts.extend(Field(address) for address in rule.text.split(":", 2)[2:3])
    effects.extend(Contact(target=host) for host in hosts if host.text)
    outputs = arguments.values("-o", "--output")
    effects.extend(_curl_outputs(arguments, urls, outputs))
    printed = not outputs and not arguments.has("-O", "--remote-name", "--remote-name-all", "-J")
    for url in urls:
        effects.append(Contact(target=url, sends=tuple(sent), sends_input=from_input, fetches=True))
    effects.extend(Copy(source=Field("-"), target=target) for target in _targets(arguments, urls, outputs))
    return effects if printed else [*effects, Output(text="")]


def _curl_sends(arguments: Arguments) -> tuple[list[Field], bool]:
    """The files whose content is sent, and whether standard input is."""
    sent: list[Field] = list(arguments.values("-T", "--upload-file"))
    for value in arguments.values("-d", "--data", "--data-ascii", "--data-binary", "--json"):
        if value.text.startswith("@"):
            sent.append(Field(value.text[1:], value.glob))
    for value in arguments.values("--data-urlencode", "--url-query", "--variable"):
        _, separator, path = value.text.partition("@")
        if separator and "=" not in value.text.partition("@")[0]:
            sent.append(Field(path, value.glob))
    for value in arguments.values("-F", "--form"):
        content = value.text.partition("=")[2]
        if content[:1] in ("@", "<"):
            sent.extend(Field(path.strip().strip('"')) for path in content[1:].partition(";")[0].split(","))
    for value in arguments.values("-H", "--header", "--proxy-header"):
        if value.text.startswith("@"):
            sent.append(Field(value.text[1:], value.glob))
    from_input = any(field.text in ("-", ".") for field in sent)
    return [field for field in sent if field.text not in ("-", ".")], from_input


def _targets(arguments: Arguments, urls: list[Field], outputs: list[Field]) -> list[Field]:
    directory = arguments.value("--output-dir")
    prefix = f"{directory.text.rstrip('/')}/" if directory is not None else ""
    found = [Field(prefix + output.text, output.glob) for output in outputs if output.text != "-"]
    if arguments.has("-O", "--remote-name", "--remote-name-all"):
        found.extend(Field(prefix + (remote_name(url) or "curl_response"), url.glob) for url in urls)
    return found


def _curl_outputs(arguments: Arguments, urls: list[Field], outputs: list[Field]) -> list[Effect]:
    return [Touch(action="write", path=target) for target in _targets(arguments, urls, outputs)]


def remote_name(url: Field) -> str:
    """The file name that a download gets from its URL."""
    path = re.sub(r"^[A-Za-z]+://[^/]*", "", url.text) if "://" in url.text else url.text.partition("/")[2]
    return re.split(r"[?#]", path)[0].rstrip("/").rpartition("/")[2]


_WGET: Final = Grammar(
    valued=frozenset(
        [
            "-O",
            "-o",
            "-a",
            "-i",
            "-P",
            "-U",
            "-e",
            "-t",
            "-T",
            "-w",
            "-Q",
            "-A",
            "-R",
            "-D",
            "-I",
            "-X",
            "-l",
            "-B",
            "--output-document",
            "--output-file",
            "--append-output",
            "--input-file",
            "--directory-prefix",
            "--user-agent",
            "--execute",
            "--tries",
            "--timeout",
            "--wait",
            "--quota",
            "--accept",
            "--reject",
            "--domains",
            "--header",
            "--post-data",
            "--post-file",
            "--body-data",
            "--body-file",
            "--method",
            "--user",
            "--password",
            "--http-user",
            "--http-password",
            "--load-cookies",
            "--save-cookies",
            "--ca-certificate",
            "--certificate",
            "--private-key",
            "--referer",
            "--limit-rate",
            "--level",
            "--base",
            "--config",
            "--use-askpass",
            "--warc-file",
            "--cut-dirs",
            "--bind-address",
            "--progress",
            "--local-encoding",
            "--remote-encoding",
        ]
    )
)


def wget(invocation: Invocation, model: Model) -> list[Effect]:
    """`wget`: URLs are fetched into files."""
    del model
    arguments = parse_arguments(invocation.argv, _WGET)
    effects: list[Effect] = []
    sent = arguments.values("--post-file", "--body-file")
    reads = arguments.values(
        "-i",
        "--input-file",
        "--load-cookies",
        "--config",
        "--certificate",
        "--private-key",
        "--ca-certificate",
    )
    effects.extend(Touch(action="read", path=path) for path in reads if path.text != "-")
    if arguments.has("-i", "--input-file"):
        effects.append(Note(reason="unknown_host", dimensions=("net",)))
    written = arguments.values(
        "-o", "-a", "--output-file", "--append-output", "--save-cookies", "--warc-file"
    )
    effects.extend(
        Touch(action="write", path=path) for path in written if path.text not in ("-", "/dev/null")
    )
    if arguments.has("--use-askpass", "-e", "--execute"):
        for program in arguments.values("--use-askpass"):
            effects.append(Run(argv=(program,), via="argument"))
    output = arguments.value("-O", "--output-document")
    directory = arguments.value("-P", "--directory-prefix")
    for url in arguments.operands:
        name = remote_name(url) or "index.html"
        base = f"{directory.text.rstrip('/')}/" if directory is not None else ""
        target = output if output is not None else Field(base + name, url.glob)
        recursive = arguments.has("-r", "--recursive", "-m", "--mirror", "-p", "--page-requisites")
        effects.append(Contact(target=url, sends=tuple(sent), fetches=True))
        if target.text != "-" and not arguments.has("--spider"):
            if recursive and output is None:
                effects.append(Touch(action="write", path=directory or Field("."), tree=True))
            effects.extend((Touch(action="write", path=target), Copy(source=Field("-"), target=target)))
    return effects if output is not None and output.text == "-" else [*effects, Output(text="")]
