// Frames -> beats of s_axis; beats of m_axis -> frames, with the rules of the stream checked.
#pragma once

#include "harness_host.h"
#include "harness_judge.h"

// Copies bytes to and from ports of any width; bits beyond the bytes become 0.
template <class Port> void put(Port& port, const void* bytes, size_t size) {
    Port value{};
    std::memcpy(&value, bytes, std::min(size, sizeof value));
    port = value;
}

inline uint64_t ones(unsigned count) { return count >= 64 ? ~0ULL : (1ULL << count) - 1; }

// Sends frames back to back, with pauses of share `idle`, even within frames.
// A record is: u32 bytes; u8 flags: 1 error at the end, 2 the end gets a beat without bytes if the
// frame fills its last beat; u32 ingress_ifindex, rx_queue_index; the frame. With flag 128 it is a write
// of the host instead, which begins when the frame behind it is about to be sent: u32 address; u8 flags;
// u32 value; u8 strobe. With flag 64 it says what the tunables are after the next commit of the host:
// u32 bytes; u8 flags; the bytes.
template <class Top> class Source {
    static constexpr size_t SIZE = sizeof(Top::s_axis_tdata);
    Top& m_top;
    Input& m_input;
    Judge& m_judge;
    Random m_random;
    const Options& m_options;
    std::deque<Write>& m_writes;
    Bytes m_frame, m_first, m_user;
    size_t m_beat = 0, m_beats = 0;
    bool m_err = false, m_offering = false, m_more = true;

public:
    Source(Top& top, Input& input, Judge& judge, const Options& options, std::deque<Write>& writes)
        : m_top{top}
        , m_input{input}
        , m_judge{judge}
        , m_random{options.seed}
        , m_options{options}
        , m_writes{writes}
        , m_first(judge.tuser_bytes() + sizeof(uint64_t))
        , m_user(judge.tuser_bytes()) {}

    bool offering() const { return m_offering; }
    bool done() const { return !m_more; }
    bool first() const { return m_beat == 0; }

    // Once per cycle, before the ports are read.
    void drive() {
        if (!m_offering) {
            if (m_beat == m_beats && m_more) load();
            m_offering = m_beat < m_beats && !m_random.chance(m_options.idle);
            if (m_offering || m_options.idle > 0) beat();
            m_top.s_axis_tvalid = m_offering;
        }
    }

    // The beat was accepted.
    void advance() {
        m_offering = false;
        ++m_beat;
    }

private:
    void load() {
        struct __attribute__((packed)) {
            uint32_t size;
            uint8_t flags;
        } head;
        uint32_t numbers[2];
        while ((m_more = m_input.bytes(&head, sizeof head)) && head.flags & (128 | 64)) {
            if (head.flags & 64) {
                Bytes image(head.size);
                m_input.bytes(image.data(), image.size());
                m_judge.image(std::move(image));
                continue;
            }
            Write write{head.size, 0, 0};
            m_input.bytes(&write.value, sizeof write.value);
            m_input.bytes(&write.strobe, sizeof write.strobe);
            m_writes.push_back(write);
        }
        m_more = m_more && m_input.bytes(numbers, sizeof numbers);
        if (!m_more) return;
        m_frame.resize(head.size);
        m_more = m_input.bytes(m_frame.data(), head.size);
        if (!m_more) {
            m_beats = 0;
            return;
        }
        m_err = head.flags & 1;
        std::fill(m_first.begin(), m_first.end(), 0);
        m_judge.sent(m_frame, m_err, numbers[0], numbers[1], m_first.data());
        m_beat = 0;
        m_beats = head.size ? (head.size + SIZE - 1) / SIZE : 1;
        if (head.flags & 2 && head.size && head.size % SIZE == 0) ++m_beats;
    }

    // What has no meaning is random, as is everything in a pause.
    void beat() {
        const size_t at = m_beat * SIZE;
        const bool last = m_beat + 1 == m_beats;
        const size_t count = m_offering && at < m_frame.size() ? m_frame.size() - at : 0;
        if (count >= SIZE) {
            std::memcpy(&m_top.s_axis_tdata, m_frame.data() + at, SIZE);
        } else {
            uint8_t data[SIZE];
            std::memcpy(data, m_random.noise(SIZE), SIZE);
            if (count) std::memcpy(data, m_frame.data() + at, count);
            std::memcpy(&m_top.s_axis_tdata, data, SIZE);
        }
        m_top.s_axis_tkeep = m_offering ? ones(std::min(count, SIZE)) : m_random.next() & ones(SIZE);
        m_top.s_axis_tlast = m_offering ? last : m_random.next() & 1;
        std::memcpy(m_user.data(), m_offering && m_beat == 0 ? m_first.data()
                                                             : m_random.noise(m_user.size()),
                    m_user.size());
        const bool err = m_offering && last ? m_err : m_random.next() & 1;
        m_user[0] = (m_user[0] & 0xfe) | err;
        if (const unsigned odd = m_options.tuser_bits % 8) m_user.back() &= ones(odd);
        put(m_top.s_axis_tuser, m_user.data(), m_user.size());
    }
};

// Puts frames of m_axis together and reports what breaks the rules.
template <class Top> class Sink {
    static constexpr size_t SIZE = sizeof(Top::m_axis_tdata);
    struct Beat {
        uint8_t data[SIZE];
        uint64_t keep;
        uint8_t last, user;
        bool operator==(const Beat& b) const {
            return !std::memcmp(data, b.data, SIZE) && keep == b.keep && last == b.last
                   && user == b.user;
        }
    };
    Judge& m_judge;
    Beat m_waiting{};
    bool m_waits = false, m_within = false;
    uint8_t m_verdict = 0;
    uint64_t m_first = 0;
    Bytes m_frame;

public:
    explicit Sink(Judge& judge)
        : m_judge{judge} {}

    bool within() const { return m_within; }

    // Once per cycle, before the edge. True when a beat moved.
    bool see(const Top& top, uint64_t cycle) {
        const bool valid = top.m_axis_tvalid, ready = top.m_axis_tready;
        if (m_waits && !valid) m_judge.fault(cycle, "m_axis_tvalid fell before tready");
        if (!valid) return m_waits = false;
        Beat beat;
        std::memcpy(beat.data, &top.m_axis_tdata, SIZE);
        beat.keep = top.m_axis_tkeep;
        beat.last = top.m_axis_tlast;
        beat.user = top.m_axis_tuser;
        if (m_waits && !(beat == m_waiting)) m_judge.fault(cycle, "a beat of m_axis changed before tready");
        m_waits = !ready;
        if (m_waits) m_waiting = beat;
        if (ready) take(beat, cycle);
        return ready;
    }

private:
    void take(const Beat& beat, uint64_t cycle) {
        const unsigned count = __builtin_popcountll(beat.keep);
        const uint8_t verdict = beat.user & 7, err = beat.user >> 3;
        if (beat.keep != ones(count)) m_judge.fault(cycle, "m_axis_tkeep has holes");
        if (!beat.last && count != SIZE) m_judge.fault(cycle, "a beat of m_axis before the last is not full");
        if (!beat.last && err) m_judge.fault(cycle, "m_axis_tuser has an error before the last beat");
        if (!count && m_within) m_judge.fault(cycle, "a beat of m_axis in a frame of others has no byte");
        if (verdict > 4) m_judge.fault(cycle, "m_axis_tuser has a verdict that does not exist");
        if (m_within && verdict != m_verdict) m_judge.fault(cycle, "the verdict changed within a frame");
        if (!m_within) {
            m_within = true;
            m_first = cycle;
            m_verdict = verdict;
        }
        m_frame.insert(m_frame.end(), beat.data, beat.data + count);
        if (!beat.last) return;
        m_judge.left(m_first, verdict, err, m_frame);
        m_frame.clear();
        m_within = false;
    }
};
