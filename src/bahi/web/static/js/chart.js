// A chart: the library draws it, the house tells what. Its colours are the theme's.

const [place, readout] = ["chart", "readout"].map((id) => document.getElementById(id));
const { createChart, createSeriesMarkers, CandlestickSeries, HistogramSeries, LineStyle } = await import(place.dataset.library);
const { daily } = place.dataset;
const [money, whole] = [2, 0].map((places) => new Intl.NumberFormat("en-IN", { minimumFractionDigits: places, maximumFractionDigits: 2 * places }));
const probe = place.appendChild(document.createElement("i"));
const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

function colour(name, share = 1) { // what the stylesheet says, in words that the library reads
  probe.style.color = `var(--${name})`;
  brush.fillStyle = getComputedStyle(probe).color;
  brush.fillRect(0, 0, 1, 1);
  return `rgba(${brush.getImageData(0, 0, 1, 1).data.slice(0, 3).join(", ")}, ${share})`;
}

const chart = createChart(place, { autoSize: true, layout: { attributionLogo: false }, localization: { locale: "en-IN", priceFormatter: money.format } });
const candles = chart.addSeries(CandlestickSeries, { borderVisible: false });
const volumes = chart.addSeries(HistogramSeries, { priceScaleId: "volume", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false });
volumes.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
const marks = createSeriesMarkers(candles, []);
const known = new Map(); // candles by their time, the newest last
let [trades, lines, pointed] = [[], [], null];

function paint() {
  chart.applyOptions({
    layout: { background: { color: colour("page") }, textColor: colour("secondary"), fontSize: 11 },
    grid: { vertLines: { color: colour("line", 0.5) }, horzLines: { color: colour("line", 0.5) } },
    timeScale: { borderColor: colour("line"), timeVisible: !daily, secondsVisible: false, rightOffset: 9 }, rightPriceScale: { borderColor: colour("line") },
  });
  candles.applyOptions({ upColor: colour("gain"), downColor: colour("loss"), wickUpColor: colour("gain"), wickDownColor: colour("loss") });
  volumes.applyOptions({ color: colour("faint", 0.5) });
  for (const each of lines) each.applyOptions({ color: colour("accent") });
  const times = [...known.keys()];
  marks.setMarkers(trades.map(([at, side, quantity, price]) => {
    const [position, shape] = side === "BUY" ? ["belowBar", "arrowUp"] : ["aboveBar", "arrowDown"];
    const time = times.findLast((begins) => begins <= at) ?? times[0];
    return { time, position, shape, color: colour("accent"), text: `${whole.format(quantity)} at ${money.format(price)}` };
  }));
}

function say(time) {
  const [at, open, high, low, close, volume] = known.get(time) ?? [...known.values()].at(-1);
  const when = new Date(at * 1000).toLocaleString("en-IN", { timeZone: "UTC", day: "2-digit", month: "short", ...(daily ? { year: "numeric" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }) });
  readout.textContent = `${when}   open ${money.format(open)}   high ${money.format(high)}   low ${money.format(low)}   close ${money.format(close)}   volume ${volume === null ? "—" : whole.format(volume)}`;
}

function take(said) {
  for (const [time, open, high, low, close, value] of said.candles) {
    candles.update({ time, open, high, low, close });
    volumes.update(value === null ? { time } : { time, value });
    known.set(time, [time, open, high, low, close, value]);
  }
  const seen = JSON.stringify([trades, lines.map((it) => it.options().price)]);
  if (seen === JSON.stringify([said.trades, said.averages]) || !known.size) return;
  trades = said.trades;
  for (const each of lines) candles.removePriceLine(each);
  lines = said.averages.map((price) => candles.createPriceLine({ price, lineWidth: 1, lineStyle: LineStyle.Dashed, title: "avg" }));
  paint();
}

chart.subscribeCrosshairMove(({ time }) => { pointed = time; if (known.size) say(time); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);

async function ask() {
  const newest = [...known.keys()].at(-1);
  try {
    const answer = document.hidden ? null : await fetch(place.dataset.candles + (newest ? `&since=${newest}` : ""));
    const said = answer?.ok ? await answer.json() : null;
    if (said) take(said);
    known.size ? say(pointed) : (readout.textContent = said?.why ?? readout.textContent);
  } catch { /* the line over the page says that the service is away */ }
  setTimeout(ask, 2000);
}

paint();
ask();
