"""JavaScript, Ruby and Perl one-liners: which are understood as a whole, and that nothing that acts is among them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts.shell.effects import Touch
from gateway.facts.shell.script_code import read_script_code

UNDERSTOOD = [
    ("node", r"console.log(Object.keys(require('./package.json').scripts).join('\n'))"),
    ("node", "import fs from 'node:fs'; console.log(fs.readdirSync('src').length)"),
    ("node", "new Date(1700000000 * 1000).toISOString()"),
    ("node", "const p=require('./package.json'); console.log(p.name+'@'+p.version)"),
    ("node", "JSON.parse(require('fs').readFileSync('package.json','utf8'))"),
    ("node", "const {readFileSync}=require('fs'); console.log(readFileSync('a').toString().split('\\n').map(l => l.trim()).length)"),
    ("node", "console.log(`${1+1} files`)"),
    ("node", 'const p = Buffer.from("e30=", "base64").toString(); console.log(JSON.parse(p))'),
    ("node", "console.log(/a[b]/.test(process.version))"),
    ("ruby", 'require "date"; puts (Date.today - 1).iso8601'),
    ("ruby", "puts JSON.parse(STDIN.read).size"),
    ("ruby", 'CSV.foreach("/tmp/b.csv", headers: true) { |r| p r.to_h }'),
    ("ruby", "puts 3.times.map { |i| i * 2 }.inspect"),
    ("ruby", 'puts Book.group(:isbn).having("count(*) > 1").count.size'),
    ("ruby", 'ENV["TZ"]="America/New_York"; puts Time.now.to_date'),
    ("node", "process.env.TZ = 'UTC'; console.log(new Date())"),
    ("perl", r"s/\bunsigned n\b/size_t n/g"),
    ("perl", "s/a{2}(b)$/$1/; s/x/y/i"),
    ("perl", "print if /x/"),
]  # fmt: skip
NOT_UNDERSTOOD = [
    ("node", "require('child_process').execSync('id')"),
    ("node", "process.mainModule.require('child_process')"),
    ("node", "[]['filter']['constructor']('return process')()"),
    ("node", "const f=require('fs'); f.readFileSync(process.argv[1])"),
    ("node", "const f=require('fs')['readFileSync']; f('/etc/shadow')"),
    ("node", "eval('1')"),
    ("node", "fetch('http://x')"),
    ("node", "require('fs').rmSync('x',{recursive:true})"),
    ("node", "require('fs').readFileSync('/etc/sh'+'adow')"),
    ("node", '`${require("child_process").execSync("id")}`'),
    ("node", "console.log(process.env)"),
    ("node", "require('./x')"),
    ("node", "require('lodash').template('x')"),
    ("node", "const e = x => x.constructor; e(1)"),
    ("ruby", 'system "id"'),
    ("ruby", "puts `id`"),
    ("ruby", "puts %x(id)"),
    ("ruby", 'puts "#{`id`}"'),
    ("ruby", 'puts File.read("/etc/shadow")'),
    ("ruby", 'CSV.read("/etc/shadow")'),
    ("ruby", "CSV.foreach(name) { |r| p r }"),
    ("ruby", 'Kernel.send(:system, "id")'),
    ("ruby", 'Object.const_get(:File).read("x")'),
    ("ruby", 'open("|id")'),
    ("ruby", 'Dir["*"].each { |f| File.delete(f) }'),
    ("ruby", "FileUtils.rm_rf Dir.pwd"),
    ("ruby", "puts ENV.to_h"),
    ("ruby", 'x = ENV["TZ"]; puts x'),
    ("ruby", 'puts ENV["TZ"] == "UTC"'),
    ("ruby", 'ENV["TZ"] = "#{`id`}"'),
    ("ruby", 'ENV["TZ"] = ENV["API_KEY"]'),
    ("node", "process.env.TZ = process.env.API_KEY"),
    ("node", "process.env.constructor = 'x'"),
    ("ruby", 'Foo.run("rm -rf /")'),
    ("perl", 's/a/system("id")/e'),
    ("perl", 's/a(?{system("id")})/b/'),
    ("perl", 's/a/@{[system("id")]}/'),
    ("perl", 's/a/b/; system("id")'),
    ("perl", "print %ENV"),
]


@pytest.mark.parametrize(("language", "text"), UNDERSTOOD)
def test_a_text_whose_words_do_nothing_is_understood(language: str, text: str) -> None:
    assert read_script_code(language, text)[1]


@pytest.mark.parametrize(("language", "text"), NOT_UNDERSTOOD)
def test_a_text_with_one_word_that_acts_is_not_understood(language: str, text: str) -> None:
    assert not read_script_code(language, text)[1]


def test_what_an_understood_text_reads_is_told() -> None:
    effects, complete = read_script_code("node", "require('fs').readFileSync('/etc/shadow')")
    assert complete
    assert Touch(action="read", path=effects[0].path) in effects  # type: ignore[union-attr]
    assert [effect.path.text for effect in effects if isinstance(effect, Touch)] == ["/etc/shadow"]


@settings(max_examples=200)
@given(st.sampled_from([text for _, text in UNDERSTOOD]), st.text(max_size=30), st.integers(0, 80))
def test_any_text_is_read_to_its_end(text: str, more: str, at: int) -> None:
    for language in ("node", "ruby", "perl", "php"):
        read_script_code(language, text[:at] + more + text[at:])


@pytest.mark.parametrize("language", ["node", "ruby"])
@given(data=st.data())
@settings(max_examples=100)
def test_code_that_acts_is_found_anywhere_in_a_text(language: str, data: st.DataObject) -> None:
    acts = {"node": "eval(x)", "ruby": "system(x)"}[language]
    text = data.draw(st.sampled_from([text for kind, text in UNDERSTOOD if kind == language]))
    assert not read_script_code(language, f"{acts}; {text}")[1]
    assert not read_script_code(language, f"{text}; {acts}")[1]
