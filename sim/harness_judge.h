// What the gate was sent and did -> whether that is what the native golden model says.
//
// As long as it is, only now and then a record tells of it. At the first difference, and at the end
// if there is none, all that has not been compared yet is handed over: from there on every event is a
// record, and who reads them compares. Records on standard output, each after a letter:
//   P u64 compared                           so many packets agree
//   J u64 index, r0, time; u32 number, commits; u8 admitted, counter, leaves    what the model says of one
//   N u32 commits                            tunables that packets were launched with for the first time
//   H u64 compared, launched, latency, suspect; u64 times 8: what the counters must be    handed over
//   I u64 cycle                              a frame's first beat was accepted
//   A u8 admitted                            a frame was counted as received: 0 overflow, 1 not
//   D u8 counter                             a frame was counted as done, number in COUNTERS
//   K u64 time                               a launch, and its time
//   C u32 commits                            a launch, and how often tunables had been committed
//   F u64 cycle, u32 n, u8 verdict, u8 err, n bytes    a frame that left; cycle of its first beat
//   T u64 cycle, u32 n, n bytes              port trace_data, from the launch asked for on
//   X u64 cycle, u32 n, n bytes              a rule was broken; text
//   S u64 first, last, stalls, simulated, nanoseconds; u64 times 8: the counters    the end
#pragma once

#include <deque>

#include "harness_io.h"
#include "native_abi.h"

constexpr unsigned RECEIVED = 0, OVERFLOW = 6, TOTAL = 8;
constexpr uint64_t NONE = ~0ULL;

using Bytes = std::vector<uint8_t>;

class Judge {
    static constexpr uint64_t PROGRESS = 4096, SAMPLED_FIRST = 256, SAMPLED_EVERY = 2048;
    struct Left {
        uint64_t cycle;
        uint8_t verdict, err;
        Bytes bytes;
    };
    struct Sent {
        Bytes bytes;
        Packet packet;
    };
    struct Expected {
        Sent sent;
        uint64_t cycle, time;
        uint32_t commits;
        bool admitted;
        Judged judged;
    };
    Output& m_output;
    const Native& m_native;
    const bool m_tells_time, m_tells_commits;
    // What has not found together yet, oldest first.
    std::deque<Sent> m_sent;
    std::deque<uint64_t> m_entered, m_times;
    std::deque<uint32_t> m_commits;
    std::deque<uint8_t> m_admitted, m_done;
    std::deque<Left> m_left;
    std::deque<Expected> m_expected;
    std::vector<Bytes> m_images, m_spare;
    uint32_t m_image = 0;
    bool m_image_seen = false, m_handed = false, m_news = false;
    uint64_t m_judged = 0, m_judged_launches = 0;
    uint64_t m_compared = 0, m_launched = 0, m_latency = NONE, m_counts[TOTAL] = {};

public:
    // Whether there are a time and a number of commits for each launch.
    Judge(Output& output, const Native& native, bool tells_time, bool tells_commits)
        : m_output{output}
        , m_native{native}
        , m_tells_time{tells_time}
        , m_tells_commits{tells_commits} {}

    size_t tuser_bytes() const { return m_native.tuser_bytes; }

    // The next frame to come in, and what goes with its first beat.
    void sent(const Bytes& frame, bool err, uint32_t ifindex, uint32_t queue, uint8_t* tuser) {
        Sent sent{spare(), {}};
        sent.bytes.assign(frame.begin(), frame.end());
        m_native.receive(sent.bytes.data(), sent.bytes.size(), err, ifindex, queue, &sent.packet);
        m_native.tuser(&sent.packet, tuser);
        if (m_handed) m_spare.push_back(std::move(sent.bytes));
        else m_sent.push_back(std::move(sent));
    }

    // The tunables after one commit more.
    void image(Bytes image) { m_images.push_back(std::move(image)); }

    void entered(uint64_t cycle) { event('I', m_entered, cycle); }
    void admitted(bool admitted) { event<uint8_t>('A', m_admitted, admitted); }
    void done(uint8_t counter) { event('D', m_done, counter); }
    void launched_at(uint64_t time) { event('K', m_times, time); }
    void launched_after(uint32_t commits) { event('C', m_commits, commits); }

    void left(uint64_t cycle, uint8_t verdict, uint8_t err, const Bytes& frame) {
        if (m_handed) return record_left(cycle, verdict, err, frame);
        m_left.push_back({cycle, verdict, err, spare()});
        m_left.back().bytes.assign(frame.begin(), frame.end());
        m_news = true;
    }

    void fault(uint64_t cycle, const std::string& text) {
        hand_over(NONE);
        blob('X', cycle, text.data(), text.size());
    }

    void trace(uint64_t cycle, const void* data, size_t size) { blob('T', cycle, data, size); }

    // Compares what can be.
    void settle() {
        if (!m_news || m_handed) return;
        m_news = false;
        while (!m_admitted.empty() && !m_sent.empty() && !m_entered.empty()) {
            const bool admitted = m_admitted.front();
            if (admitted && m_tells_time && m_times.empty()) break;
            if (admitted && m_tells_commits && m_commits.empty()) break;
            if (!judge(admitted)) return hand_over(m_judged);
        }
        while (!m_expected.empty()) {
            const Expected& expected = m_expected.front();
            if (expected.admitted && m_done.empty()) break;
            const bool leaves = expected.admitted && expected.judged.leaves;
            if (leaves && m_left.empty()) break;
            if (!agrees(expected, leaves)) return hand_over(m_compared);
            advance(leaves);
        }
    }

    // Nothing more will come.
    void finish() {
        settle();
        hand_over(NONE);
    }

private:
    template <class T> void event(char letter, std::deque<T>& waiting, T value) {
        if (m_handed) return record(letter, value);
        waiting.push_back(value);
        m_news = true;
    }

    template <class T> void record(char letter, T value) {
        m_output.number(letter);
        m_output.number<T>(value);
    }

    void blob(char letter, uint64_t cycle, const void* data, size_t size) {
        record(letter, cycle);
        m_output.number<uint32_t>(size);
        m_output.bytes(data, size);
    }

    void record_left(uint64_t cycle, uint8_t verdict, uint8_t err, const Bytes& frame) {
        record('F', cycle);
        m_output.number<uint32_t>(frame.size());
        m_output.number(verdict);
        m_output.number(err);
        m_output.bytes(frame.data(), frame.size());
    }

    Bytes spare() {
        if (m_spare.empty()) return {};
        Bytes bytes = std::move(m_spare.back());
        m_spare.pop_back();
        return bytes;
    }

    // Asks the model about the oldest frame. False when it must not be relied on.
    bool judge(bool admitted) {
        Expected e{{}, m_entered.front(), 0, 0, admitted, {}};
        const uint32_t number = m_judged_launches;
        if (admitted) {
            if (m_tells_commits && !tune(e.commits = m_commits.front())) return false;
            if (m_tells_time) e.time = m_times.front();
            if (!m_native.judge(&m_sent.front().packet, e.time, number, &e.judged)) return false;
            if (m_tells_commits) m_commits.pop_front();
            if (m_tells_time) m_times.pop_front();
            ++m_judged_launches;
        } else {
            e.judged.counter = OVERFLOW;
        }
        e.sent = std::move(m_sent.front());
        m_sent.pop_front();
        m_entered.pop_front();
        m_admitted.pop_front();
        if (m_judged < SAMPLED_FIRST || m_judged * 0x9e3779b97f4a7c15ULL < NONE / SAMPLED_EVERY) {
            record('J', m_judged);
            m_output.number(e.judged.r0);
            m_output.number(e.time);
            m_output.number(number);
            m_output.number(e.commits);
            m_output.number<uint8_t>(admitted);
            m_output.number(e.judged.counter);
            m_output.number(e.judged.leaves);
        }
        ++m_judged;
        m_expected.push_back(std::move(e));
        return true;
    }

    bool tune(uint32_t commits) {
        if (commits == m_image && m_image_seen) return true;
        if (commits > m_images.size()) return false;
        if (commits) m_native.tune(m_images[commits - 1].data());
        m_image = commits;
        m_image_seen = true;
        record('N', commits);
        return true;
    }

    bool agrees(const Expected& e, bool leaves) const {
        if (e.admitted && m_done.front() != e.judged.counter) return false;
        if (!leaves) return true;
        const Left& left = m_left.front();
        const Packet& p = e.sent.packet;
        return left.verdict == e.judged.verdict && left.err == p.bad && left.bytes.size() == p.size
               && !std::memcmp(left.bytes.data(), p.data, p.size);
    }

    void advance(bool leaves) {
        Expected& e = m_expected.front();
        ++m_counts[RECEIVED];
        ++m_counts[e.judged.counter];
        if (e.admitted) {
            ++m_launched;
            m_done.pop_front();
        }
        if (leaves) {
            m_latency = std::min(m_latency, m_left.front().cycle - e.cycle);
            m_spare.push_back(std::move(m_left.front().bytes));
            m_left.pop_front();
        }
        m_spare.push_back(std::move(e.sent.bytes));
        m_expected.pop_front();
        if (++m_compared % PROGRESS == 0) record('P', m_compared);
    }

    void hand_over(uint64_t suspect) {
        if (m_handed) return;
        m_handed = true;
        record('H', m_compared);
        for (const uint64_t n : {m_launched, m_latency, suspect}) m_output.number(n);
        for (const uint64_t n : m_counts) m_output.number(n);
        for (const Expected& e : m_expected) {
            record('I', e.cycle);
            record<uint8_t>('A', e.admitted);
            if (e.admitted && m_tells_time) record('K', e.time);
            if (e.admitted && m_tells_commits) record('C', e.commits);
        }
        for (const uint64_t cycle : m_entered) record('I', cycle);
        for (const uint8_t admitted : m_admitted) record('A', admitted);
        for (const uint64_t time : m_times) record('K', time);
        for (const uint32_t commits : m_commits) record('C', commits);
        for (const uint8_t counter : m_done) record('D', counter);
        for (const Left& left : m_left)
            record_left(left.cycle, left.verdict, left.err, left.bytes);
    }
};
