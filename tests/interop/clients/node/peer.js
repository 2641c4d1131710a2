'use strict';
// The Node package `ali-ons`, put through what producers and consumers do; run against two brokers, and what it prints is
// compared. The topics exist before.
//
//   node peer.js NAMESRV [SCENARIO...]     with NODE_PATH naming the folder that the packages are in
//
// As clients.Run of the Java peer: a line of JSON says nothing that may differ from run to run, and a boolean in it is a
// promise.
const httpclient = require('urllib');
const { Consumer, Producer, Message } = require('ali-ons');

const nameSrv = process.argv[2];
const PATIENCE_MS = 150000;
const quiet = { info() {}, debug() {}, warn() {}, error(...args) { console.error(...args); } };
let instance = 0;

const config = (more) => ({ httpclient, nameSrv, logger: quiet, instanceName: `node${++instance}`, clientIP: '127.0.0.1', ...more });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(20)) {
    if (condition()) return true;
  }
  return false;
}

function counted() {
  const seen = {};
  return {
    see(body) { return (seen[body] = (seen[body] || 0) + 1); },
    distinct: () => Object.keys(seen).length,
    of: (body) => seen[body] || 0,
    all: () => Object.fromEntries(Object.entries(seen).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

async function consumer(group, topic, tags, see) {
  const out = new Consumer(config({ consumerGroup: group, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' }));
  out.on('error', (e) => console.error(group, e.message));
  out.subscribe(topic, tags, async (m) => see(m));
  await out.ready();
  return out;
}

async function producer(group) {
  const out = new Producer(config({ producerGroup: group }));
  await out.ready();
  return out;
}

function message(topic, tag, body, keys) {
  const out = new Message(topic, tag, body);
  if (keys) out.keys = keys;
  return out;
}

async function push(say) {
  const topic = 'NodePush';
  const seen = counted();
  let one;
  const reader = await consumer('node_push_group', topic, '*', (m) => {
    const body = m.body.toString();
    if (body === 'sent 3') one = [m.topic, m.tags, m.keys, m.reconsumeTimes, m.properties.user];
    seen.see(body.length < 100 ? body : `${body.length} of ${body[0]}`);
  });
  const sender = await producer('node_push');
  const status = [];
  for (let i = 0; i < 10; i++) {
    const m = message(topic, 'T', `sent ${i}`, [`key${i}`, 'all']);
    m.properties.user = 'property';
    status.push((await sender.send(m)).sendStatus);
  }
  status.push((await sender.send(message(topic, 'T', '长'.repeat(5000)))).sendStatus);
  say('sent', status);
  say('everything came', await until(() => seen.distinct() === 11));
  say('how often', seen.all());
  say('as received', one);
  await reader.close();
  await sender.close();
}

async function tagsAndRetry(say) {
  const topic = 'NodeTags';
  const seen = counted();
  const reader = await consumer('node_tags_group', topic, 'TagA || Aa', (m) => {
    const body = m.body.toString();
    if (seen.see(body) === 1 && body === 'Aa 1') throw new Error('again, later');
  });
  const sender = await producer('node_tags');
  for (let i = 0; i < 3; i++) {
    for (const tag of ['TagA', 'TagB', 'Aa', 'BB']) await sender.send(message(topic, tag, `${tag} ${i}`));
  }
  say('everything came, one thing twice', await until(() => seen.distinct() >= 6 && seen.of('Aa 1') === 2));
  await pause(1000);
  say('how often', seen.all());
  await reader.close();
  await sender.close();
}

async function main() {
  const all = { push, tags: tagsAndRetry };
  const named = process.argv.slice(3);
  const scenarios = Object.fromEntries(Object.entries(all).filter(([name]) => named.length === 0 || named.includes(name)));
  const lines = {};
  await Promise.all(Object.entries(scenarios).map(async ([scenario, run]) => {
    const mine = (lines[scenario] = []);
    const say = (what, value) => mine.push(JSON.stringify({ scenario, what, value }));
    const begin = Date.now();
    try {
      await run(say);
    } catch (e) {
      console.error(e);
      say('failed', e.message);
    }
    console.error(`${scenario} took ${Date.now() - begin} ms`);
  }));
  for (const scenario of Object.keys(scenarios)) lines[scenario].forEach((line) => console.log(line));
  process.exit(0);
}

main();
