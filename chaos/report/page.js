/* Draws the page of a run from the data beside it. All charts share one range of time. */
const data = JSON.parse(document.getElementById('data').textContent);
const page = document.getElementById('page');
const svgNamespace = 'http://www.w3.org/2000/svg';
const left = 52;
const width = 1140;
const plotWidth = width - left - 8;
/** Before the first call members only start. */
const beginMs = Math.max(0, Math.min(...data.calls.map((call) => call.from)) - 1000);
const range = { from: beginMs, to: data.endMs };
const redraws = [];

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function shape(parent, name, attributes, text) {
  const made = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

const x = (ms) => left + ((ms - range.from) / (range.to - range.from)) * plotWidth;
const isShown = (from, to) => to >= range.from && from <= range.to;
const clampedX = (ms) => Math.min(left + plotWidth, Math.max(left, x(ms)));
const seconds = (ms) => (ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)} ms`);

function header() {
  const { verdict } = data.gameDay ?? data.verdict;
  const title = data.gameDay === undefined
    ? `${data.workload} under ${data.nemesis}`
    : `Game day: ${data.gameDay.title}`;
  page.append(
    element('h1', {}, title, element('span', { class: `badge ${verdict}` }, verdict)),
    element('p', { class: 'about' }, `Workload: ${data.about.workload}. Fault: ${data.about.nemesis}.`),
    element('code', { class: 'replay' }, data.replay),
  );
  const { counts, longestGapMs, recoveryMs, healingMs, rivalBeliefMs, unknownDone } = data.verdict;
  const tiles = [
    [counts.ok, 'calls succeeded'],
    [counts.fail, 'surely failed'],
    [counts.unknown, `of unknown outcome, ${unknownDone} had happened`],
    [counts.faults, 'faults'],
    [counts.leaderChanges, 'changes of the leader'],
    [seconds(longestGapMs), 'longest time without a write'],
    [seconds(recoveryMs), 'until a majority wrote again'],
    [seconds(healingMs), 'until all served after healing'],
    [seconds(rivalBeliefMs), 'two believed to lead'],
  ].map(([figure, name]) =>
    element('div', { class: 'tile' }, element('b', {}, String(figure)), element('span', {}, name)),
  );
  page.append(element('div', { class: 'tiles' }, ...tiles));
}

function findings() {
  const { findings: found } = data.verdict;
  if (found.length === 0) return;
  const items = found.slice(0, 50).map(({ check, kind, message }) =>
    element(
      'li',
      { class: kind === 'violation' ? 'violation' : 'undecided-item' },
      element('b', {}, `${kind}: ${check}`),
      `\n${message}`,
    ),
  );
  page.append(
    element('section', {}, element('h2', {}, `What was found (${found.length})`),
      element('ul', { class: 'findings' }, ...items)),
  );
}

/** What was expected, done, seen and written down on a game day. */
function story() {
  if (data.gameDay === undefined) return;
  const { brief, story: told } = data.gameDay;
  const list = (items) => element('ul', {}, ...items.map((item) => element('li', {}, item)));
  const rows = told.steps.map(({ title, fromMs, toMs, seen, checks }) =>
    element('tr', {},
      element('td', { class: 'when' }, `${seconds(fromMs)} to ${seconds(toMs)}`),
      element('td', {}, element('b', {}, title), element('div', { class: 'seen' }, seen),
        ...checks.map((check) =>
          element('div', { class: check.isMet ? 'met' : 'missed' },
            `${check.isMet ? '✓' : '✗'} ${check.what}: ${check.seen}`))),
    ));
  const notes = told.notes.flatMap(({ question, answer }) => [
    element('dt', {}, question),
    element('dd', {}, answer === '' ? 'not answered yet' : answer),
  ]);
  page.append(
    element('section', {},
      element('h2', {}, 'Hypothesis'), element('p', { class: 'hypothesis' }, brief.hypothesis),
      element('h2', {}, `What was done (${told.end})`), element('table', {}, ...rows),
      element('p', { class: 'seen' }, `The history of all calls: ${data.verdict.verdict}.`)),
    element('section', {}, element('h2', {}, 'Written down'), element('dl', {}, ...notes)),
    element('section', { class: 'columns' },
      element('div', {}, element('h2', {}, 'Expected'), list(brief.expected)),
      element('div', {}, element('h2', {}, 'To watch'), list(brief.watch)),
      element('div', {}, element('h2', {}, 'To abort when'), list(brief.abort))),
  );
}

/** A chart that is drawn anew when the range of time changes; drag to zoom, double-click for all. */
function chart(parent, height, draw) {
  const svg = document.createElementNS(svgNamespace, 'svg');
  parent.append(svg);
  const redraw = () => {
    const actual = typeof height === 'function' ? height() : height;
    svg.setAttribute('viewBox', `0 0 ${width} ${actual}`);
    svg.replaceChildren();
    bands(svg, actual);
    draw(svg, actual);
  };
  redraws.push(redraw);
  zoomable(svg);
}

function zoomable(svg) {
  const timeAt = (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * width;
    return range.from + ((at - left) / plotWidth) * (range.to - range.from);
  };
  let begun;
  svg.addEventListener('pointerdown', (event) => {
    begun = timeAt(event);
  });
  svg.addEventListener('pointermove', (event) => {
    svg.querySelector('.selection')?.remove();
    if (begun === undefined) return;
    const [from, to] = [begun, timeAt(event)].sort((a, b) => a - b);
    const box = { x: clampedX(from), y: 0, width: clampedX(to) - clampedX(from), height: '100%' };
    shape(svg, 'rect', { ...box, class: 'selection' });
  });
  addEventListener('pointerup', (event) => {
    if (begun === undefined) return;
    const [from, to] = [begun, timeAt(event)].sort((a, b) => a - b);
    begun = undefined;
    if (to - from > 5) zoom(Math.max(beginMs, from), Math.min(data.endMs, to));
    else svg.querySelector('.selection')?.remove();
  });
  svg.addEventListener('dblclick', () => zoom(beginMs, data.endMs));
}

function zoom(from, to) {
  Object.assign(range, { from, to });
  for (const redraw of redraws) redraw();
}

function bands(svg, height) {
  for (const { fromMs, toMs } of data.faults.filter((fault) => isShown(fault.fromMs, fault.toMs))) {
    const [a, b] = [clampedX(fromMs), clampedX(toMs)];
    shape(svg, 'rect', { x: a, y: 0, width: Math.max(1, b - a), height, class: 'band' });
    shape(svg, 'line', { x1: a, x2: a, y1: 0, y2: height, class: 'band-edge' });
  }
  for (const call of data.calls) {
    if (call.isOffending && isShown(call.from, call.to)) {
      const at = clampedX(call.to);
      shape(svg, 'line', { x1: at, x2: at, y1: 0, y2: height, class: 'mark' });
    }
  }
}

function timeAxis(svg, y) {
  const span = range.to - range.from;
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 6e4, 3e5].find(
    (each) => span / each <= 12,
  ) ?? 6e5;
  for (let at = Math.ceil(range.from / step) * step; at <= range.to; at += step) {
    const label = step < 1000 ? `${(at / 1000).toFixed(step < 10 ? 3 : 2)} s` : `${at / 1000} s`;
    shape(svg, 'text', { x: x(at), y, 'text-anchor': 'middle' }, label);
  }
}

/** Calls by the time of their return, in so many buckets as are shown. */
function buckets(count) {
  const size = (range.to - range.from) / count;
  const all = Array.from({ length: count }, (_, i) => ({
    at: range.from + i * size, ok: 0, fail: 0, unknown: 0, latencies: [],
  }));
  for (const call of data.calls) {
    const bucket = all[Math.floor((call.to - range.from) / size)];
    if (bucket === undefined) continue;
    bucket[call.outcome] += 1;
    if (call.outcome === 'ok') bucket.latencies.push(call.to - call.from);
  }
  return { all, size };
}

function drawThroughput(svg, height) {
  const { all, size } = buckets(140);
  const bottom = height - 8;
  const top = 22;
  const perSecond = (count) => (count / size) * 1000;
  const most = Math.max(1, ...all.map(({ ok, fail, unknown }) => perSecond(ok + fail + unknown)));
  const y = (rate) => bottom - (rate / most) * (bottom - top);
  for (const rate of [0, most / 2, most]) {
    shape(svg, 'line', { x1: left, x2: left + plotWidth, y1: y(rate), y2: y(rate), class: 'grid' });
    shape(svg, 'text', { x: left - 6, y: y(rate) + 4, 'text-anchor': 'end' }, Math.round(rate));
  }
  for (const bucket of all) {
    let below = 0;
    for (const outcome of ['ok', 'unknown', 'fail']) {
      const rate = perSecond(bucket[outcome]);
      if (rate > 0) {
        shape(svg, 'rect', {
          x: x(bucket.at), width: Math.max(1, plotWidth / all.length - 1),
          y: y(below + rate), height: y(below) - y(below + rate), fill: `var(--${outcome})`,
        });
      }
      below += rate;
    }
  }
  for (const { name, fromMs, toMs } of data.faults) {
    if (isShown(fromMs, toMs)) {
      shape(svg, 'text', { x: clampedX(fromMs) + 4, y: 12, class: 'band-name' }, name);
    }
  }
}

function drawLatency(svg, height) {
  const { all } = buckets(140);
  const [lo, hi] = [0.5, 5000];
  const bottom = height - 20;
  const y = (ms) => bottom - (Math.log(Math.min(hi, Math.max(lo, ms)) / lo) / Math.log(hi / lo)) * (bottom - 8);
  for (const ms of [1, 10, 100, 1000]) {
    shape(svg, 'line', { x1: left, x2: left + plotWidth, y1: y(ms), y2: y(ms), class: 'grid' });
    shape(svg, 'text', { x: left - 6, y: y(ms) + 4, 'text-anchor': 'end' }, seconds(ms));
  }
  for (const [share, colour, thickness] of [[0.99, 'var(--unknown)', 1.5], [0.5, 'var(--ok)', 2]]) {
    let path = '';
    for (const { at, latencies } of all) {
      if (latencies.length === 0) continue;
      latencies.sort((a, b) => a - b);
      const value = latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
      path += `${path === '' ? 'M' : 'L'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    }
    shape(svg, 'path', { d: path, fill: 'none', stroke: colour, 'stroke-width': thickness });
  }
  timeAxis(svg, height - 4);
}

function drawLanes(svg) {
  for (const [i, { member, spans }] of data.lanes.entries()) {
    const y = 4 + i * 30;
    shape(svg, 'text', { x: left - 10, y: y + 16, 'text-anchor': 'end', class: 'name' }, member);
    for (const { state, term, from, to } of spans.filter((span) => isShown(span.from, span.to))) {
      const [a, b] = [clampedX(from), clampedX(to)];
      const fill = `var(--${state})`;
      const box = shape(svg, 'rect', { x: a, y, width: Math.max(1, b - a), height: 22, rx: 3, fill });
      shape(box, 'title', {}, `${member}: ${state}, term ${term}, ${seconds(from)} to ${seconds(to)}`);
      if (b - a > 52) {
        const style = state === 'leader' ? 'fill:#fff' : '';
        shape(svg, 'text', { x: a + 6, y: y + 15, style }, `${state === 'leader' ? 'leads, ' : ''}term ${term}`);
      }
    }
  }
  timeAxis(svg, 4 + data.lanes.length * 30 + 12);
}

function charts() {
  const legend = (...items) => {
    const line = element('p', { class: 'legend' });
    for (const [name, text] of items) {
      line.append(element('i', { style: `background:var(--${name})` }), text);
    }
    return line;
  };
  const time = element('section', {}, element('span', { class: 'hint' }, 'drag to zoom, double-click for all'));
  time.append(element('h2', {}, 'Calls per second'), legend(['ok', 'ok'], ['unknown', 'unknown outcome'], ['fail', 'surely failed'], ['down', 'fault']));
  chart(time, 170, drawThroughput);
  time.append(element('h2', {}, 'Latency of what succeeded'), legend(['ok', 'median'], ['unknown', '99 %']));
  chart(time, 140, drawLatency);
  time.append(element('h2', {}, 'Members'), legend(...['leader', 'follower', 'silent', 'down'].map((each) => [each, each])));
  chart(time, 24 + data.lanes.length * 30, drawLanes);
  page.append(time);
}

/** Every call on one key, a line for each process. */
function keyHistory() {
  const counts = new Map();
  for (const { key } of data.calls) counts.set(key, (counts.get(key) ?? 0) + 1);
  const offending = data.calls.filter((call) => call.isOffending);
  const keys = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a)).slice(0, 500);
  let chosen = offending[0]?.key ?? keys[0];
  const select = element('select', { 'aria-label': 'key' });
  for (const key of new Set([chosen, ...keys])) {
    select.append(element('option', { value: key }, `${key === '\u0000' ? 'all keys' : key} (${counts.get(key)})`));
  }
  const detail = element('p', { id: 'detail' }, 'Point at a call to read it.');
  const section = element('section', {}, element('h2', {}, 'History of a key ', select));
  const shown = () => data.calls.filter((call) => call.key === chosen && isShown(call.from, call.to));
  const rowsOf = (calls) => [...new Set(calls.map(({ process }) => process))].sort((a, b) => a - b).slice(0, 60);
  chart(section, () => 24 + Math.max(1, rowsOf(shown()).length) * 16, (svg, height) => {
    const calls = shown();
    const rows = rowsOf(calls);
    for (const [i, process] of rows.entries()) {
      shape(svg, 'text', { x: left - 6, y: 13 + i * 16, 'text-anchor': 'end' }, `p${process}`);
    }
    for (const call of calls) {
      const row = rows.indexOf(call.process);
      if (row < 0) continue;
      const fill = call.isOffending ? 'var(--bad)' : `var(--${call.outcome})`;
      const bar = shape(svg, 'rect', {
        x: clampedX(call.from), y: 4 + row * 16, rx: 2, height: 11, fill,
        width: Math.max(2, clampedX(call.to) - clampedX(call.from)),
      });
      bar.addEventListener('pointerenter', () => {
        detail.textContent = `p${call.process} by way of ${call.member}, ${call.from} to ${call.to} ms, ${call.outcome}: ${call.text}`;
      });
    }
    timeAxis(svg, height - 4);
  });
  select.addEventListener('change', () => {
    chosen = select.value;
    zoom(range.from, range.to);
  });
  section.append(detail);
  page.append(section);
}

function faults() {
  const table = element('table', {}, element('tr', {}, ...['from', 'to', 'fault', 'how it is known'].map((each) => element('th', {}, each))));
  for (const { fromMs, toMs, name, what, evidence } of data.faults) {
    const cells = [seconds(fromMs), seconds(toMs), `${name}: ${what}`, evidence ?? 'nothing shows it'];
    table.append(element('tr', {}, ...cells.map((each) => element('td', {}, each))));
  }
  page.append(element('section', {}, element('h2', {}, 'Faults'), table));
}

header();
story();
findings();
charts();
keyHistory();
faults();
zoom(beginMs, data.endMs);
