// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from '@myelin/kit/next-turn'
import { takeLongestTurn } from '@myelin/kit/turn'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { draftOf } from './open-graph.ts'
import { readHtml } from './read-html.ts'

const draft = async (html: string | Uint8Array, charset?: string) => {
  const { properties, images } = draftOf(await readHtml(Buffer.from(html as string), charset))
  return { ...Object.fromEntries(properties), images }
}

describe('the draft of a preview', () => {
  test('has the Open Graph properties of the page, the first of each name, without those of its image', async () => {
    const html = `<html><head><meta property="og:title" content="One &amp; two"><meta property="og:title" content="Second">
      <meta property="og:image" content="/a.png"><meta property="og:image:width" content="7">
      <meta property="og:url" content="https://a.test/"><meta property="article:author" content="Ann">
      <meta property="other:thing" content="x"><meta property="og:description" content="A  text"></head><body>body</body>`
    assert.deepEqual(await draft(html), {
      'og:title': 'One & two',
      'og:url': 'https://a.test/',
      'article:author': 'Ann',
      'og:description': 'A text',
      images: ['/a.png'],
    })
  })

  test('takes from Twitter’s properties what Open Graph lacks', async () => {
    const html = `<meta name="twitter:title" content="T"><meta name="twitter:site" content="@s"><meta name="twitter:card" content="c">
      <meta name="twitter:image" content="t.png"><meta property="og:description" content="D">`
    assert.deepEqual(await draft(html), {
      'og:title': 'T',
      'og:site_name': '@s',
      'og:description': 'D',
      images: ['t.png'],
    })
  })

  test('without metadata has the title, the shown text and the largest image', async () => {
    const html = `<head><title> A \n title</title><style>p { color: red }</style></head><body><nav>menu</nav>
      <h1>Head<b>ing</b></h1><p>First <i>para</i>graph.</p><script>let x = "<p>no</p>"</script><div role="menu">no</div>
      <p>Second.<svg><title>no</title></svg></p><img src="tiny.png" width="1" height="1"><img src="s.png" width="20" height="20">
      <img src="l.png" width="40" height="30"></body>`
    assert.deepEqual(await draft(html), {
      'og:title': 'A title',
      'og:description': 'Heading\n\nFirst paragraph.\n\nSecond.',
      images: ['l.png'],
    })
    assert.equal((await draft('<body><h2>Only</h2><p>text'))['og:title' as never], 'Only')
  })

  test('of an empty page, of no page and of one with reserved names is empty', async () => {
    assert.deepEqual(await draft(''), { images: [] })
    assert.deepEqual(await draft('<meta><meta property="og:title"><img><title></title>'), { images: [] })
    assert.deepEqual(await draft('<meta __proto__="x" property="__proto__" content="y">'), { images: [] })
  })

  test('shortens a long text at a word', async () => {
    const textOf = async (html: string) => String(new Map(Object.entries(await draft(html))).get('og:description'))
    const text = await textOf(`<body><p>${'word '.repeat(2000)}</p>`)
    assert.ok(text.length <= 501 && text.endsWith('word…'), text)
    assert.ok((await textOf(`<body><p>a${'😀'.repeat(2000)}</p>`)).isWellFormed())
  })
})

describe('a page is decoded', () => {
  const umlauts = (head: string) => Buffer.from(`${head}<title>Käse</title>`, 'latin1')
  const cases: Record<string, [Uint8Array, string | undefined]> = {
    'by its byte order mark, whatever the server says': [
      Buffer.from('\ufeff<title>Käse</title>', 'utf8'),
      'iso-8859-1',
    ],
    'by the byte order mark of UTF-16': [Buffer.from('\ufeff<title>Käse</title>', 'utf16le'), undefined],
    'as the server says': [umlauts(''), 'iso-8859-1'],
    'as the page says': [umlauts('<meta charset="windows-1252">'), undefined],
    'as the page says in the old form': [
      umlauts('<meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-1">'),
      undefined,
    ],
    'as the page says, where the server names no charset that exists': [umlauts('<meta charset="latin1">'), 'nonsense'],
    'as UTF-8 if it is that': [Buffer.from('<title>Käse</title>'), undefined],
    'as windows-1252 otherwise': [umlauts(''), undefined],
    'as UTF-8 where an ASCII page claims to be UTF-16': [
      Buffer.from('<meta charset="utf-16"><title>Käse</title>'),
      undefined,
    ],
  }
  for (const [name, [bytes, charset]] of Object.entries(cases)) {
    test(name, async () => assert.equal((await readHtml(bytes, charset)).title, 'Käse'))
  }
  test('also in Shift JIS', async () => {
    const bytes = Buffer.from([0x93, 0xfa, 0x96, 0x7b])
    assert.equal((await readHtml(Buffer.concat([Buffer.from('<title>'), bytes]), 'shift_jis')).title, '日本')
  })
})

describe('a hostile page', () => {
  const hostile: Record<string, string> = {
    'nests elements without end': `<title>T</title>${'<div>'.repeat(300_000)}`,
    'closes what was never opened': `<title>T</title>${'<a>'.repeat(400)}${'</b>'.repeat(300_000)}`,
    'has one tag without end': `<title>T</title><p ${'a="b" '.repeat(300_000)}`,
    'has one attribute without end': `<title>T</title><p title="${'x'.repeat(2_000_000)}`,
    'has many metadata': `<title>T</title>${Array.from({ length: 40_000 }, (_, n) => `<meta property="og:${n}" content="x">`).join('')}`,
    'has many titles': '<title>T</title>'.repeat(100_000),
    'has a comment without end': `<title>T</title><!--${'-'.repeat(2_000_000)}`,
  }
  for (const [does, html] of Object.entries(hostile)) {
    test(`${does}, and its preview is bounded`, async () => {
      const facts = await readHtml(Buffer.from(html), undefined)
      assert.equal(facts.title, 'T')
      assert.ok(facts.openGraph.size <= 50)
    })
  }

  test('leaves others their turn while it is parsed', async () => {
    await nextTurn()
    takeLongestTurn()
    let turns = 0
    let isDone = false
    const count = () => {
      turns++
      if (!isDone) setImmediate(count)
    }
    setImmediate(count)
    await readHtml(Buffer.from('<p>text</p>'.repeat(100_000)), 'utf-8')
    isDone = true
    assert.ok(turns >= 16, `${turns} turns`)
    assert.ok(takeLongestTurn() <= 5000)
  })
})
