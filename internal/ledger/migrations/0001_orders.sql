-- Times are UTC. Amounts are integers in the minor unit of the currency that
-- stands beside them. Lists such as the lines of an order are JSON.

-- One row for each order, from the moment before the gateway hears of it.
CREATE TABLE orders (
	id            TEXT PRIMARY KEY,          -- a ULID; the gateway's out_trade_no
	shop          TEXT NOT NULL,             -- the name of the block that took it
	account       TEXT NOT NULL,             -- app_code and gateway
	status        TEXT NOT NULL,             -- pending, paid, failed, closed, partially_refunded, refunded
	method        TEXT NOT NULL,             -- how it is paid: jsapi, hosted, wechat, alipayhk, unionpay, payme
	payer         TEXT NOT NULL,             -- the same for orders of one payer: a keyed hash, from which nobody is found
	started_at    {time} NOT NULL,           -- when the payer opened the link
	claimed_at    {time} NOT NULL,           -- when WeChat had vouched for the payer
	expires_at    {time} NOT NULL,           -- when the time to pay is over
	amount        BIGINT NOT NULL,
	currency      TEXT NOT NULL,
	description   TEXT NOT NULL,
	ref           TEXT NOT NULL,             -- the shop's own reference
	locale        TEXT NOT NULL,             -- the payer's language, such as zh-Hant
	lines         TEXT NOT NULL,             -- what was bought: item, name, quantity, price
	fields        TEXT NOT NULL,             -- what the payer told the shop; empty if it was nothing, or was erased
	invoice       TEXT NOT NULL,             -- the id of the signed link that is paid, or empty
	invoice_uses  INTEGER NOT NULL,          -- how often it may be paid; 0 without limit
	invoice_token TEXT NOT NULL,
	syssn         TEXT,                      -- the gateway's number of the payment
	prepared_at   {time},                    -- when the gateway took the order
	unconfirmed_at {time},                   -- when the payment call ended without an answer
	pay_url       TEXT NOT NULL,             -- where the payer pays
	pay_params    TEXT NOT NULL,             -- of WeChat's pay sheet, where our own page opens it
	paid_at       {time},
	ended_at      {time},                    -- when we learned that it was paid, when it failed or was closed, or was to be fulfilled again
	late          BOOLEAN NOT NULL,          -- paid after it had failed or was closed
	disputed      BOOLEAN NOT NULL,          -- the gateway reported something else than was ordered
	foreign_trade BOOLEAN NOT NULL,          -- its number was somebody else's at the gateway
	holds_stock   BOOLEAN NOT NULL,          -- it has what its lines of stocked items say: reserved while it is pending, sold when it is paid
	refunded      BIGINT NOT NULL,           -- how much went back
	refunded_at   {time},                    -- when some of it went back last
	fulfilled_at  {time},                    -- when the shop said that it has done its part; NULL before
	note          TEXT NOT NULL,             -- what it told the payer with that, such as a tracking number
	check_at      {time},                    -- when the gateway is asked next about it or its refunds; NULL if never
	asked_at      {time}                     -- when the gateway was asked last
);
CREATE UNIQUE INDEX orders_syssn ON orders (account, syssn) WHERE syssn IS NOT NULL;
CREATE INDEX orders_shop ON orders (shop, id);
CREATE INDEX orders_account ON orders (account, id);
CREATE INDEX orders_todo ON orders (shop, id) WHERE paid_at IS NOT NULL AND fulfilled_at IS NULL AND status <> 'refunded';
CREATE INDEX orders_fields ON orders (shop, COALESCE(CASE WHEN fulfilled_at > refunded_at THEN fulfilled_at ELSE COALESCE(refunded_at, fulfilled_at) END, ended_at)) WHERE fields <> '';
CREATE INDEX orders_holding ON orders (shop, payer) WHERE status = 'pending' AND holds_stock;
CREATE INDEX orders_check_at ON orders (check_at) WHERE check_at IS NOT NULL;
CREATE INDEX orders_invoice ON orders (shop, invoice) WHERE invoice <> '';

-- What happened to an order, or to a payment that is no order, in its order.
-- Nothing is changed or removed here.
CREATE TABLE events (
	id       {serial},
	subject  TEXT NOT NULL,                  -- an order, or an orphan
	shop     TEXT NOT NULL,
	at       {time} NOT NULL,
	kind     TEXT NOT NULL,                  -- claimed, prepared, paid, failed, closed, disputed, …
	about    TEXT NOT NULL,                  -- the refund or the syssn that it is about, or empty
	data     TEXT NOT NULL,                  -- JSON
	UNIQUE (subject, kind, about)
);

-- One row for each refund, whoever asked for it.
CREATE TABLE refunds (
	order_id     TEXT NOT NULL REFERENCES orders (id),
	number       TEXT NOT NULL,              -- the refund's out_trade_no, or its syssn where the gateway names none
	account      TEXT NOT NULL,
	refund_id    TEXT NOT NULL,              -- the shop's id for it; empty if it was made elsewhere
	amount       BIGINT NOT NULL,
	currency     TEXT NOT NULL,
	status       TEXT NOT NULL,              -- waiting, sent, done, refused
	requested_at {time} NOT NULL,
	sent_at      {time},                     -- when the gateway was asked for it
	ended_at     {time},
	syssn        TEXT,                       -- the gateway's number of the refund
	source       TEXT NOT NULL,              -- who said how it ended: reply, notification, enquiry or comparison
	respcd       TEXT NOT NULL,
	message      TEXT NOT NULL,
	PRIMARY KEY (order_id, number)
);
CREATE UNIQUE INDEX refunds_number ON refunds (account, number);
CREATE UNIQUE INDEX refunds_syssn ON refunds (account, syssn) WHERE syssn IS NOT NULL;
CREATE UNIQUE INDEX refunds_refund_id ON refunds (order_id, refund_id) WHERE refund_id <> '';

-- Invoices that were set out to be paid. The row is what two payers of one
-- invoice wait for; the uses are the orders that name it.
CREATE TABLE invoices (
	shop    TEXT NOT NULL,
	invoice TEXT NOT NULL,
	PRIMARY KEY (shop, invoice)
);

-- What a screen hands to a phone and is too much for a QR code, until it
-- expires. Only the shop's client_key opens it.
CREATE TABLE handoffs (
	order_id   TEXT PRIMARY KEY,             -- the order that it becomes
	shop       TEXT NOT NULL,
	sealed     TEXT NOT NULL,                -- what is bought and what the payer told the shop, encrypted
	expires_at {time} NOT NULL               -- when it is erased
);
CREATE INDEX handoffs_expires_at ON handoffs (expires_at);

-- Payments that the gateway reported and that are no order of the ledger.
CREATE TABLE orphans (
	account           TEXT NOT NULL,
	syssn             TEXT NOT NULL,
	shop              TEXT NOT NULL,         -- the block at which it was reported
	at                {time} NOT NULL,
	notify_type       TEXT NOT NULL,
	out_trade_no      TEXT NOT NULL,
	orig_syssn        TEXT NOT NULL,
	orig_out_trade_no TEXT NOT NULL,
	amount            BIGINT NOT NULL,
	currency          TEXT NOT NULL,
	PRIMARY KEY (account, syssn)
);
CREATE INDEX orphans_shop ON orphans (shop, at);

-- The outbox: what is to be delivered, one row for each event and endpoint. A row
-- is written in the transaction of its event.
CREATE TABLE deliveries (
	id          {serial},
	shop        TEXT NOT NULL,
	subject     TEXT NOT NULL,               -- the order or orphan, or the day of a comparison
	endpoint    TEXT NOT NULL,
	message_id  TEXT NOT NULL,               -- the same for every attempt
	kind        TEXT NOT NULL,               -- order.paid, …
	at          {time} NOT NULL,             -- when the event happened
	body        TEXT NOT NULL,               -- the event's data as JSON; empty when it is done with
	status      TEXT NOT NULL,               -- due, delivered, gave_up
	attempts    INTEGER NOT NULL,
	attempted_at {time},                     -- when the last attempt ended
	last_status INTEGER NOT NULL,            -- of HTTP or SMTP; 0 without an answer
	last_error  TEXT NOT NULL,
	next_at     {time},                      -- when it is tried next, or free again for others; NULL when done with
	UNIQUE (message_id, endpoint)
);
CREATE INDEX deliveries_next_at ON deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_due ON deliveries (shop, endpoint, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_subject ON deliveries (subject);

-- How much there is of the items that have stock, one row for each that the owner
-- has counted.
CREATE TABLE stock (
	shop       TEXT NOT NULL,
	item       TEXT NOT NULL,
	available  BIGINT NOT NULL CHECK (available >= 0), -- pieces that can be sold
	reserved   BIGINT NOT NULL,              -- pieces that pending orders hold beside them
	counted_at {time} NOT NULL,              -- when the owner last said how many there are
	PRIMARY KEY (shop, item)
);

-- What orders come to, by the quarter of an hour in which they were started, kept
-- in the transactions that change them. The days of every time zone are made of
-- such quarters.
CREATE TABLE sums (
	shop       TEXT NOT NULL,
	started_at {time} NOT NULL,              -- when the quarter begins
	currency   TEXT NOT NULL,
	orders     BIGINT NOT NULL,
	paid       BIGINT NOT NULL,              -- how many of them
	gross      BIGINT NOT NULL,
	refunded   BIGINT NOT NULL,
	given_back BIGINT NOT NULL,              -- what went back in the quarter, of orders of whatever day
	PRIMARY KEY (shop, started_at, currency)
);

-- Comparisons of a day with the gateway's own list of trades, one row for each
-- account and day.
CREATE TABLE comparisons (
	account      TEXT NOT NULL,
	day          TEXT NOT NULL,              -- such as 2026-11-23, of UTC+8
	leased_until {time} NOT NULL,            -- until when whoever makes it is left alone
	ended_at     {time},                     -- NULL until it is done
	differences  BIGINT NOT NULL,            -- how many it found
	PRIMARY KEY (account, day)
);

-- How far an account has used up its share of the gateway's rate limit: its calls
-- since then come to as many intervals.
CREATE TABLE gateway_pace (
	account    TEXT PRIMARY KEY,
	busy_until {time} NOT NULL
);
