#!/usr/bin/env python3
"""A consumer of Curfew's revocation stream, written from docs/reference/revocation-stream.md with kcat as Kafka client.

  consumer.py --brokers HOST:PORT --topic curfew.revocations.v1 --service http://HOST:PORT [--bound-ms 2000]

The API key is read from CURFEW_API_KEY. Each line on stdin is the claims of a token whose signature was checked; the answer
on stdout is {"accept": true | false | null}: null means there is no lease, so ask the service. Needs Python 3.8 and kcat.
"""
import argparse, json, os, queue, subprocess, sys, threading, time, urllib.request

MARGIN_MS = 60_000
IN_FRONT = 200
SCOPES = ["user", "client", "tenant", "global"]


def mono_ms():
    return time.monotonic() * 1000


def wall_ms():
    return time.time() * 1000


class Lane:
    """Contiguity: the table of the page."""

    def __init__(self, window, since):
        self.window, self.since, self.incarnation, self.sequence, self.broken, self.heartbeat = window, since, 0, 0, False, None

    def take(self, record):
        """Returns what is to be applied, or None. Sets `broken` at a gap."""
        headers = dict(zip(record["headers"][::2], record["headers"][1::2]))
        incarnation, sequence = int(headers["ce_incarnation"]), int(headers["ce_sequence"])
        data = json.loads(record["payload"])
        in_front = record["offset"] < self.window and record["ts"] < self.since
        if incarnation > self.incarnation:
            advances = sequence == 1 or in_front
            self.broken, self.heartbeat = not advances, None
        else:
            same, jumps = incarnation == self.incarnation, sequence > self.sequence + 1
            advances = same and not self.broken and (sequence == self.sequence + 1 or (in_front and jumps))
            self.broken = self.broken or (same and jumps and not in_front)
        if advances or incarnation > self.incarnation:
            self.incarnation, self.sequence = incarnation, sequence
        if headers["ce_type"] == "curfew.heartbeat" and advances and not self.broken:
            self.heartbeat = {**data, "stream": headers["ce_stream"], "lanes": int(headers["ce_lanes"])}
        return data if headers["ce_type"] == "curfew.revocation" else None


class Consumer:
    def __init__(self, options):
        self.options, self.lanes, self.records, self.processes = options, [], queue.Queue(), []
        self.sessions, self.scopes, self.distrust_until = {}, {}, 0
        self.renewals, self.lease, self.reference, self.retry_ms, self.last = [], None, None, 100, 0

    # -- the service -------------------------------------------------------------------------------------------------
    def renew(self):
        m0 = (mono_ms(), wall_ms())
        body = {"nodeId": self.options.node_id, "boundMs": self.options.bound_ms}
        if self.fresh():
            body["appliedCursor"] = self.cursor
        request = urllib.request.Request(
            self.options.service + "/v1/revocations/renewals",
            json.dumps(body).encode(),
            {"Authorization": "Bearer " + os.environ["CURFEW_API_KEY"], "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=2) as response:
            answer = json.load(response)
        self.reference = (answer["referenceTimeMs"], mono_ms())
        self.renewals = (self.renewals + [(m0, answer)])[-8:]
        return answer

    def now(self):
        return self.reference[0] + mono_ms() - self.reference[1]

    # -- the topic ---------------------------------------------------------------------------------------------------
    def kcat(self, *args):
        return ["kcat", "-b", self.options.brokers, *args]

    def offset(self, lane, timestamp):
        out = subprocess.run(self.kcat("-Q", "-t", f"{self.options.topic}:{lane}:{timestamp}"), capture_output=True, text=True, timeout=10)
        return int(out.stdout.split("offset")[1])

    def pin(self):
        """Start and resync."""
        self.stop_reading()
        answer = self.renew()
        since = answer["referenceTimeMs"] - answer["maxAccessTtlMs"] - MARGIN_MS
        listing = subprocess.run(self.kcat("-L", "-J", "-t", self.options.topic), capture_output=True, text=True, timeout=10)
        count = len(json.loads(listing.stdout)["topics"][0]["partitions"])
        # The ends first: what is written in between must not fall in front of the pin.
        ends = [self.offset(n, -1) for n in range(count)]
        pinned = [self.offset(n, since) for n in range(count)]
        pinned = [ends[n] if at < 0 else at for n, at in enumerate(pinned)]
        self.lanes = [Lane(at, since) for at in pinned]
        lows = [self.offset(n, -2) for n in range(count)]
        pinned = [at if lows[n] >= at else max(lows[n], at - IN_FRONT) for n, at in enumerate(pinned)]
        generation = self.records = queue.Queue()
        for n, at in enumerate(pinned):
            args = self.kcat("-C", "-u", "-J", "-q", "-t", self.options.topic, "-p", str(n), "-o", str(at), "-X", "fetch.wait.max.ms=100")
            process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self.processes.append(process)
            threading.Thread(target=self.read, args=(n, process, generation), daemon=True).start()
        self.last = mono_ms()

    def read(self, lane, process, records):
        for line in process.stdout:
            records.put((lane, json.loads(line)))

    def stop_reading(self):
        for process in self.processes:
            process.kill()
        self.processes = []

    # -- what is known -----------------------------------------------------------------------------------------------
    def apply(self, message):
        scope, until = message["scope"], message["appliesUntil"]
        if scope == "session":
            key = (message["tenant"], message["sid"])
            self.sessions[key] = max(until, self.sessions.get(key, 0))
        elif scope in SCOPES:
            key = (scope, message["tenant"], {"user": message["sub"], "client": message.get("client")}.get(scope, ""))
            known = self.scopes.setdefault(key, [])
            highest = max([m["epoch"] for m in known], default=0)
            if message["epoch"] > highest:
                self.scopes[key] = [message]
            elif message["epoch"] == highest and message not in known:
                known.append(message)
        else:
            self.distrust_until = max(self.distrust_until, until)

    def forget(self):
        now = self.now()
        self.sessions = {key: until for key, until in self.sessions.items() if until > now}
        self.scopes = {key: kept for key, kept in ((k, [m for m in v if m["appliesUntil"] > now]) for k, v in self.scopes.items()) if kept}

    def extend(self):
        for m0, answer in self.renewals:
            beats = [lane.heartbeat for lane in self.lanes if not lane.broken and lane.heartbeat]
            good = len(beats) == len(self.lanes) == answer["lanes"] and all(
                int(h["barrier"]) >= int(answer["barrier"]) and h["referenceTimeMs"] >= answer["referenceTimeMs"]
                and h["stream"] == answer["streamId"] and h["lanes"] == answer["lanes"]
                for h in beats
            )
            if good and (self.lease is None or m0[0] > self.lease[0]):
                self.lease, self.retry_ms = m0, 100
                self.cursor = min(beats, key=lambda h: int(h["barrier"]))["cursor"]

    def fresh(self):
        if self.lease is None:
            return False
        elapsed = max(mono_ms() - self.lease[0], wall_ms() - self.lease[1])
        return elapsed < self.options.bound_ms

    def decide(self, claims):
        if self.reference is None or self.now() < self.distrust_until:
            return None
        alive = claims["exp"] * 1000 > self.now() and (claims["tenant"], claims["sid"]) not in self.sessions
        ep = claims.get("ep", [0, 0, 0, 0])
        keys = [("user", claims["tenant"], claims["sub"]), ("client", claims["tenant"], claims["client_id"]), ("tenant", claims["tenant"], ""), ("global", "", "")]
        for seen, key in zip(ep, keys):
            for message in self.scopes.get(key, []):
                alive = alive and seen >= min(message["epoch"], message["excepted"].get(claims["sid"], message["epoch"]))
        # Last: the lease.
        return alive if self.fresh() else None

    # -- one turn ----------------------------------------------------------------------------------------------------
    def turn(self):
        try:
            lane, record = self.records.get(timeout=0.01)
        except queue.Empty:
            return
        self.last = mono_ms()
        try:
            message = self.lanes[lane].take(record)
        except (KeyError, ValueError, TypeError):
            self.lanes[lane].broken, message = True, None
        if message:
            self.apply(message)
        self.extend()

    def stuck(self):
        silent = mono_ms() - self.last > 1500
        return silent or any(lane.broken for lane in self.lanes) or any(p.poll() is not None for p in self.processes)


def main():
    parser = argparse.ArgumentParser()
    for name in ("brokers", "topic", "service"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--bound-ms", type=int, default=2000)
    parser.add_argument("--node-id", default=f"consumer.py-{os.getpid()}")
    consumer = Consumer(parser.parse_args())
    questions = queue.Queue()

    def ask():
        for line in sys.stdin:
            questions.put(json.loads(line))
        questions.put(None)

    threading.Thread(target=ask, daemon=True).start()
    pin_at = renew_at = 0.0
    try:
        while True:
            now = mono_ms()
            try:
                if now >= pin_at and (not consumer.lanes or consumer.stuck()):
                    pin_at = now + consumer.retry_ms + 1500
                    consumer.retry_ms = min(2 * consumer.retry_ms, 5000)
                    consumer.pin()
                if now >= renew_at:
                    renew_at = now + min(500, consumer.options.bound_ms / 3)
                    consumer.renew()
                    consumer.extend()
                    consumer.forget()
            except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
                print(f"consumer: {type(error).__name__}", file=sys.stderr)
            consumer.turn()
            while not questions.empty():
                claims = questions.get()
                if claims is None:
                    return
                print(json.dumps({"accept": consumer.decide(claims)}), flush=True)
    finally:
        consumer.stop_reading()


main()
