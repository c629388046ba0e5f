// Frames -> beats of s_axis; beats of m_axis -> frames, with the rules of the stream checked.
#pragma once

#include "harness_host.h"
#include "harness_io.h"

// Copies bytes to and from ports of any width; bits beyond the bytes become 0.
template <class Port> void put(Port& port, const void* bytes, size_t size) {
    Port value{};
    std::memcpy(&value, bytes, std::min(size, sizeof value));
    port = value;
}

inline uint64_t ones(unsigned count) { return count >= 64 ? ~0ULL : (1ULL << count) - 1; }

// Sends frames back to back, with pauses of share `idle`, even within frames.
// A record is: u32 bytes; u8 flags: 1 error at the end, 2 the end gets a beat without bytes if the
// frame fills its last beat; the first beat's tuser, whole bytes; the frame. With flag 128 it is a write
// of the host instead, which begins when the frame behind it is about to be sent: u32 address; u8 flags;
// u32 value; u8 strobe.
template <class Top> class Source {
    static constexpr size_t SIZE = sizeof(Top::s_axis_tdata);
    Top& m_top;
    Input& m_input;
    Random m_random;
    const Options& m_options;
    std::deque<Write>& m_writes;
    std::vector<uint8_t> m_frame, m_first, m_user;
    size_t m_beat = 0, m_beats = 0;
    bool m_err = false, m_offering = false, m_more = true;

public:
    Source(Top& top, Input& input, const Options& options, std::deque<Write>& writes)
        : m_top{top}
        , m_input{input}
        , m_random{options.seed}
        , m_options{options}
        , m_writes{writes}
        , m_first((options.tuser_bits + 7) / 8)
        , m_user(m_first.size()) {}

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
        uint32_t size = 0;
        uint8_t flags = 0;
        while ((m_more = m_input.bytes(&size, sizeof size) && m_input.bytes(&flags, sizeof flags))
               && flags & 128) {
            Write write{size, 0, 0};
            m_input.bytes(&write.value, sizeof write.value);
            m_input.bytes(&write.strobe, sizeof write.strobe);
            m_writes.push_back(write);
        }
        m_more = m_more && m_input.bytes(m_first.data(), m_first.size());
        if (!m_more) return;
        m_frame.resize(size);
        m_more = m_input.bytes(m_frame.data(), size);
        m_err = flags & 1;
        m_beat = 0;
        m_beats = size ? (size + SIZE - 1) / SIZE : 1;
        if (flags & 2 && size && size % SIZE == 0) ++m_beats;
        if (!m_more) m_beats = 0;
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
    Output& m_output;
    Beat m_waiting{};
    bool m_waits = false, m_within = false;
    uint8_t m_verdict = 0;
    uint64_t m_first = 0;
    std::vector<uint8_t> m_frame;

public:
    explicit Sink(Output& output)
        : m_output{output} {}

    bool within() const { return m_within; }

    // Once per cycle, before the edge. True when a beat moved.
    bool see(const Top& top, uint64_t cycle) {
        const bool valid = top.m_axis_tvalid, ready = top.m_axis_tready;
        if (m_waits && !valid) fault(cycle, "m_axis_tvalid fell before tready");
        if (!valid) return m_waits = false;
        Beat beat;
        std::memcpy(beat.data, &top.m_axis_tdata, SIZE);
        beat.keep = top.m_axis_tkeep;
        beat.last = top.m_axis_tlast;
        beat.user = top.m_axis_tuser;
        if (m_waits && !(beat == m_waiting)) fault(cycle, "a beat of m_axis changed before tready");
        m_waits = !ready;
        if (m_waits) m_waiting = beat;
        if (ready) take(beat, cycle);
        return ready;
    }

    void fault(uint64_t cycle, const std::string& text) {
        m_output.number('X');
        m_output.number(cycle);
        m_output.number<uint32_t>(text.size());
        m_output.bytes(text.data(), text.size());
    }

private:
    void take(const Beat& beat, uint64_t cycle) {
        const unsigned count = __builtin_popcountll(beat.keep);
        const uint8_t verdict = beat.user & 7, err = beat.user >> 3;
        if (beat.keep != ones(count)) fault(cycle, "m_axis_tkeep has holes");
        if (!beat.last && count != SIZE) fault(cycle, "a beat of m_axis before the last is not full");
        if (!beat.last && err) fault(cycle, "m_axis_tuser has an error before the last beat");
        if (!count && m_within) fault(cycle, "a beat of m_axis in a frame of others has no byte");
        if (verdict > 4) fault(cycle, "m_axis_tuser has a verdict that does not exist");
        if (m_within && verdict != m_verdict) fault(cycle, "the verdict changed within a frame");
        if (!m_within) {
            m_within = true;
            m_first = cycle;
            m_verdict = verdict;
        }
        m_frame.insert(m_frame.end(), beat.data, beat.data + count);
        if (!beat.last) return;
        m_output.number('F');
        m_output.number(m_first);
        m_output.number<uint32_t>(m_frame.size());
        m_output.number(verdict);
        m_output.number(err);
        m_output.bytes(m_frame.data(), m_frame.size());
        m_frame.clear();
        m_within = false;
    }
};
