// The built page in a real Chromium, against a small server that speaks the controller's stream.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

const dist = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../dist');
const types = { html: 'text/html', js: 'text/javascript', css: 'text/css' };
let server; let url; let clients = []; let snapshot; let requests = []; let context; let profile;

function send(client, event, data) { client.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`); }
function push(delta) { for (const client of clients) send(client, 'delta', delta); }

function cluster(node_count, tasks_a_node) {
  const out = { cluster: 'shop', nodes: {}, services: {}, tasks: {}, stats: {} };
  for (const name of ['hive-server', 'api']) {
    out.services[name] = { id: name, name, image: `registry.hive:5001/${name}:1.0@sha256:ab`, replicas: node_count * tasks_a_node / 2 };
  }
  for (let n = 0; n < node_count; n++) {
    out.nodes[`n${n}`] = { id: `n${n}`, hostname: `node-${n}`, role: n < 3 ? 'manager' : 'worker', availability: 'active', state: 'ready', leader: n === 0 };
    for (let t = 0; t < tasks_a_node; t++) {
      const id = `t${n}-${t}`;
      out.tasks[id] = { id, service_id: t % 2 ? 'api' : 'hive-server', node_id: `n${n}`, slot: t + 1, image: 'registry.hive:5001/x:1.0', state: 'running', desired: 'running' };
    }
  }
  return out;
}

before(async () => {
  server = createServer(async (request, response) => {
    requests.push(request.url);
    if (request.url === '/v1/stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      clients.push(response);
      response.on('close', () => { clients = clients.filter((client) => client !== response); });
      send(response, 'snapshot', snapshot);
      return;
    }
    const name = request.url === '/' ? 'index.html' : request.url.slice(1);
    try {
      const body = await readFile(path.join(dist, path.basename(name)));
      response.writeHead(200, { 'content-type': types[name.split('.').pop()] }).end(body);
    } catch { response.writeHead(404).end(); }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${server.address().port}/`;
  profile = await mkdtemp(path.join(tmpdir(), 'hive-chromium-'));
  context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium', headless: true, viewport: { width: 1600, height: 1000 },
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
});
after(async () => {
  await context?.close();
  for (const client of clients) client.destroy();
  server?.close();
  if (profile) await rm(profile, { recursive: true, force: true });
});

async function open(state) {
  snapshot = state;
  requests = [];
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  await page.goto(url);
  await page.waitForSelector('#connection.live');
  return { page, faults };
}

test('shows nodes as columns with their tasks, versions and states', async () => {
  const { page, faults } = await open(cluster(5, 3));
  assert.equal(await page.locator('section').count(), 5);
  assert.equal(await page.locator('section[data-node="node-0"] li').count(), 3);
  assert.equal(await page.locator('li[data-version="1.0"]').count(), 15);
  assert.match(await page.locator('section[data-node="node-0"] h2').innerText(), /leader/);
  assert.deepEqual(faults, []);
  await page.close();
});

test('changes live by pushed deltas, without reload and without polling', async () => {
  const { page } = await open(cluster(5, 3));
  const seen = requests.length;
  push({ tasks: { 't1-0': null, new: { id: 'new', service_id: 'api', node_id: 'n4', slot: 9, image: 'x:2.0', state: 'starting', desired: 'running' } },
    nodes: { n3: { id: 'n3', hostname: 'node-3', role: 'worker', availability: 'drain', state: 'down' } } });
  await page.waitForSelector('section[data-node="node-4"] li[data-task="new"].starting');
  assert.equal(await page.locator('section[data-node="node-1"] li').count(), 2);
  await page.waitForSelector('section.down.drain[data-node="node-3"]');
  push({ tasks: { new: { id: 'new', service_id: 'api', node_id: 'n4', slot: 9, image: 'x:2.0', state: 'running', health: 'unhealthy', desired: 'running' } } });
  await page.waitForSelector('li[data-task="new"].bad');
  assert.equal(requests.length, seen, 'the page asked again for something');
  await page.close();
});

test('a task moved to another node leaves the old column', async () => {
  const { page } = await open(cluster(5, 3));
  push({ tasks: { 't0-0': { ...snapshot.tasks['t0-0'], node_id: 'n2' } } });
  await page.waitForSelector('section[data-node="node-2"] li[data-task="t0-0"]');
  assert.equal(await page.locator('li[data-task="t0-0"]').count(), 1);
  await page.close();
});

test('says when the connection is lost and is whole again after it', async () => {
  const { page } = await open(cluster(5, 3));
  snapshot = cluster(4, 1);
  for (const client of clients) client.destroy();
  await page.waitForSelector('#connection.lost');
  await page.waitForSelector('#connection.live', { timeout: 15000 });
  assert.equal(await page.locator('section').count(), 4);
  await page.close();
});

test('markup in names is text', async () => {
  const state = cluster(1, 1);
  state.nodes.n0.hostname = '<img src=x onerror=document.title="owned">';
  state.tasks['t0-0'].error = '"><script>document.title="owned"</script>';
  const { page } = await open(state);
  assert.equal(await page.title(), 'hive');
  assert.equal(await page.locator('h2 img').count(), 0);
  await page.close();
});

test('100 nodes and 2,000 tasks are all there, and a delta changes only its own', async () => {
  const { page, faults } = await open(cluster(100, 20));
  assert.equal(await page.locator('section').count(), 100);
  assert.equal(await page.locator('li').count(), 2000);
  const other = await page.locator('section[data-node="node-7"] li').first().elementHandle();
  push({ tasks: { 't50-3': { ...snapshot.tasks['t50-3'], state: 'failed', error: 'exit 1' } } });
  await page.waitForSelector('li[data-task="t50-3"].bad');
  assert.ok(await other.evaluate((element) => element.isConnected));
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  assert.equal(overflow, false, 'the page scrolls sideways');
  if (process.env.HIVE_SCREENSHOT) await page.screenshot({ path: process.env.HIVE_SCREENSHOT });
  assert.deepEqual(faults, []);
  await page.close();
});
