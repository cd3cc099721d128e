import { describe, expect, it } from 'vitest'
import {
  choice,
  durationMs,
  integer,
  labels,
  list,
  listenAddress,
  networks,
  path,
  sizeBytes,
  text,
  url,
} from './setting-parsers.js'

describe('setting parsers', () => {
  it('read durations with a unit', () => {
    expect(['500ms', '10s', '1.5s', '5m', '24h', '7d'].map(durationMs())).toEqual([
      500, 10_000, 1500, 300_000, 86_400_000, 604_800_000,
    ])
    for (const wrong of ['10', '', '-1s', '1 s', 's', '1w', '1e3ms'])
      expect(() => durationMs()(wrong), wrong).toThrow('is not a duration')
    expect(() => durationMs({ min: 1000 })('999ms')).toThrow('"999ms" is below 1000ms')
    expect(() => durationMs({ max: 1000 })('2s')).toThrow('"2s" is above 1000ms')
  })

  it('read sizes in decimal and binary units', () => {
    expect(['100B', '64KiB', '1.5MiB', '2GB', '1 GiB'].map(sizeBytes)).toEqual([
      100, 65_536, 1_572_864, 2_000_000_000, 1_073_741_824,
    ])
    for (const wrong of ['1', '1kb', 'MiB', '-1B']) expect(() => sizeBytes(wrong), wrong).toThrow('is not a size')
  })

  it('read whole numbers within bounds', () => {
    const parse = integer({ min: 1, max: 10 })
    expect([' 3 ', '10'].map(parse)).toEqual([3, 10])
    for (const wrong of ['0', '11', '3.5', 'three', '', '0x3', '99999999999999999999'])
      expect(() => parse(wrong), wrong).toThrow('from 1 to 10')
  })

  it('read lists and labels', () => {
    expect(list(' a, b ,,c')).toEqual(['a', 'b', 'c'])
    expect(list('')).toEqual([])
    expect(labels('zone=eu,gpu=,q=a=b')).toEqual({ zone: 'eu', gpu: '', q: 'a=b' })
    for (const wrong of ['zone', '=eu', '-a=b']) expect(() => labels(wrong), wrong).toThrow('is not a label')
    expect(() => labels('a=1,a=2')).toThrow('label "a" is given twice')
  })

  it('read addresses and networks', () => {
    expect(networks('127.0.0.1, 10.0.0.0/8,::1,fd00::/8')).toEqual(['127.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8'])
    for (const wrong of ['proxy.example', '10.0.0.0/33', '10.0.0/8', '::1/129', '10.0.0.0/', '/8'])
      expect(() => networks(wrong), wrong).toThrow('is not an address or a network')
  })

  it('read addresses to listen on', () => {
    expect(listenAddress('127.0.0.1:8080')).toEqual({ host: '127.0.0.1', port: 8080 })
    expect(listenAddress('[::1]:0')).toEqual({ host: '::1', port: 0 })
    expect(listenAddress('localhost:65535')).toEqual({ host: 'localhost', port: 65_535 })
    for (const wrong of ['8080', ':8080', '::1:80', 'a:65536', 'a:b', 'http://a:80', '[::1]'])
      expect(() => listenAddress(wrong), wrong).toThrow('is not an address')
  })

  it('read URLs of the wanted kind without secrets in them', () => {
    const parse = url({ protocols: ['https:', 'http:'] })
    expect(parse('https://host:1/prefix').pathname).toBe('/prefix')
    for (const wrong of ['host', 'ftp://a', '/path', ''])
      expect(() => parse(wrong), wrong).toThrow('is not a URL that begins with https:// or http://')
    expect(() => parse('https://a:b@host')).toThrow('user name or password')
    expect(() => parse('https://host/?token=x')).toThrow('query or fragment')
  })

  it('read words, texts and paths', () => {
    expect(choice(['a', 'b'])(' b ')).toBe('b')
    expect(() => choice(['a', 'b'])('c')).toThrow('"c" is not one of a, b')
    expect(text(' x ')).toBe('x')
    expect(() => text('  ')).toThrow('must not be empty')
    expect(path('/a/../b')).toBe('/b')
  })
})
