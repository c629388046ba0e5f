// A board's design, as Verilator's C++, with scripts of what comes over its wires -> what it sends.
//
// Standard input has for each port a count and that many items; numbers begin with the lowest byte:
//   0, half a period of RXC in steps (64 bits), nibbles (8), RXD between frames (8): a link
//   1, steps (64): RXC stands still for so long, and all other wires with it
//   2, cycles of RXC (64): nothing is sent
//   3, steps (64): nothing is sent until so much time has passed
//   4, carrier (8), whether a nibble is missing at the beginning (8), bytes behind it (32), length (32), bytes, length (32), bytes: what is on RXD, and
//      for each of these bytes whether the PHY signals an error
// Standard output has records: port (8), first and last step (64 each), error (8), length (32), and a
// byte per cycle of TXC; then 255, cycles of the system, frames with an end cut off, and counters.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#include "Vtop.h"
#include "Vtop___024root.h"
#include "verilated.h"

namespace {

constexpr uint64_t HALF = 40'000;  // Of the system's clock, 125 MHz.
using Time = uint64_t;

class Reader {
    std::vector<uint8_t> m_text;
    size_t m_at = 0;

public:
    explicit Reader(FILE* file) {
        uint8_t part[1 << 16];
        while (const size_t got = fread(part, 1, sizeof part, file))
            m_text.insert(m_text.end(), part, part + got);
    }
    template <class Number> Number take() {
        Number value = 0;
        for (size_t n = 0; n < sizeof(Number); ++n) value |= Number(m_text.at(m_at++)) << 8 * n;
        return value;
    }
    std::vector<uint8_t> bytes() {
        const size_t size = take<uint32_t>();
        const auto from = m_text.begin() + m_at;
        m_at += size;
        return {from, from + size};
    }
};

void put(uint64_t value, int size) {
    for (; size--; value >>= 8) putchar(value & 0xFF);
}

struct Item {
    enum Kind : uint8_t { LINK, STOP, IDLE, UNTIL, FRAME } kind;
    uint64_t number = 0;
    bool flag = false, late = false;
    uint8_t idle = 0;
    std::vector<uint8_t> data, errors;

    explicit Item(Reader& from) : kind{from.take<uint8_t>()} {
        if (kind != FRAME) number = from.take<uint64_t>();
        if (kind == LINK) {
            flag = from.take<uint8_t>();
            idle = from.take<uint8_t>();
        }
        if (kind == FRAME) {
            flag = from.take<uint8_t>();
            late = from.take<uint8_t>();
            number = from.take<uint32_t>();
            data = from.bytes();
            errors = from.bytes();
        }
    }
};

// The PHY's side of what a port receives. A wire changes behind the edge before the one that takes it.
class Source {
    CData &m_clock, &m_control, &m_data;
    std::vector<Item> m_items;
    Time m_next;
    size_t m_item = 0, m_byte = 0;
    uint64_t m_half = HALF, m_pause = 0;
    bool m_nibbles = false, m_second = false, m_carrier = false, m_error = false;
    uint8_t m_idle = 0, m_value = 0;

public:
    Source(CData& clock, CData& control, CData& data, Time first, Reader& from)
        : m_clock{clock}
        , m_control{control}
        , m_data{data}
        , m_next{first} {
        for (auto left = from.take<uint32_t>(); left; --left) m_items.emplace_back(from);
        clock = control = data = 0;
    }

    Time next() const { return m_next; }
    bool done() const { return m_item == m_items.size() && !m_pause; }
    uint8_t wires() const { return m_data | m_control << 4 | m_clock << 5; }

    void toggle() {
        m_clock ^= 1;
        m_next += m_half;
    }

    void drive() {
        if (!m_clock) advance();
        m_data = (m_clock && !m_nibbles ? m_value >> 4 : m_value) & 15;
        m_control = m_carrier ^ (m_clock && m_error);
    }

private:
    // What the next cycle has.
    void advance() {
        if (m_second) {
            m_second = false;
            m_value >>= 4;
            return;
        }
        m_carrier = m_error = false;
        m_value = m_idle * 0x11;
        if (m_pause) {
            --m_pause;
            return;
        }
        while (m_item < m_items.size()) {
            const Item& item = m_items[m_item];
            switch (item.kind) {
            case Item::LINK:
                m_next += item.number - m_half;
                m_half = item.number;
                m_nibbles = item.flag;
                m_idle = item.idle;
                m_value = m_idle * 0x11;
                break;
            case Item::STOP: m_next += item.number; break;
            case Item::IDLE: m_pause = item.number; break;
            case Item::UNTIL:
                if (item.number > m_next) m_pause = (item.number - m_next) / (2 * m_half);
                break;
            case Item::FRAME:
                if (m_byte < item.data.size()) {
                    m_second = m_nibbles && !(item.late && m_byte == 0);
                    m_value = item.data[m_byte] >> (m_nibbles && !m_second ? 4 : 0);
                    m_error = item.errors[m_byte++];
                    m_carrier = item.flag;
                    return;
                }
                m_byte = 0;
                m_pause = item.number << m_nibbles;
            }
            ++m_item;
            if (m_pause) {
                --m_pause;
                return;
            }
        }
    }
};

// The PHY's side of what a port sends: TXD and TX_CTL behind both edges of TXC.
class Sink {
    const uint8_t m_port;
    const CData &m_txc, &m_control, &m_data;
    bool m_clock = false, m_within = false, m_error = false;
    Time m_start = 0;
    std::string m_bytes;
    uint8_t m_low = 0;

public:
    Sink(int port, const CData& clock, const CData& control, const CData& data)
        : m_port(port)
        , m_txc{clock}
        , m_control{control}
        , m_data{data} {}

    bool within() const { return m_within; }

    void look(Time now) {
        if (m_clock == bool(m_txc)) return;
        m_clock = m_txc;
        if (m_clock) {
            m_low = m_data;
            if (m_control && !m_within) begin(now);
            if (!m_control && m_within) finish(now);
        } else {
            if (m_control && !m_within) begin(now);
            if (!m_within) return;
            m_error |= !m_control;
            m_bytes += char(m_low | m_data << 4);
        }
    }

    void finish(Time now) {
        m_within = false;
        put(m_port, 1);
        put(m_start, 8);
        put(now, 8);
        put(m_error, 1);
        put(m_bytes.size(), 4);
        fwrite(m_bytes.data(), 1, m_bytes.size(), stdout);
    }

private:
    void begin(Time now) {
        m_start = now;
        m_within = true;
        m_error = !m_clock;  // TX_CTL rises with TXC.
        m_bytes.clear();
    }
};

}  // namespace

int main(int argc, char** argv) {
    VerilatedContext context;
    context.commandArgs(argc, argv);
    context.randReset(2);
    const int seed = std::atoi(argv[1]);
    context.randSeed(seed);
    const Time patience = 2 * HALF * std::strtoull(argv[2], nullptr, 10);
    const bool tell = argc > 3;
    Vtop top{&context};
    Reader input{stdin};
    const Time phase_a = seed % (2 * HALF), phase_b = seed / 3 % (2 * HALF);
    Source sources[] = {
        {top.eth_a_rx_clk, top.eth_a_rx_ctl, top.eth_a_rx_data, phase_a, input},
        {top.eth_b_rx_clk, top.eth_b_rx_ctl, top.eth_b_rx_data, phase_b, input},
    };
    Sink sinks[] = {
        {0, top.eth_a_tx_clk, top.eth_a_tx_ctl, top.eth_a_tx_data},
        {1, top.eth_b_tx_clk, top.eth_b_tx_ctl, top.eth_b_tx_data},
    };
    top.osc = 0;
    top.button = top.uart_rx = 1;
    top.eval();
    Time system = HALF, busy = 0;
    uint64_t cycles = 0;
    while (true) {
        const Time now = std::min({system, sources[0].next(), sources[1].next()});
        bool moved[2];
        for (int n : {0, 1})
            if ((moved[n] = sources[n].next() == now)) sources[n].toggle();
        const bool edge = system == now;
        if (edge) {
            top.osc = !top.osc;
            cycles += top.osc;
            system += HALF;
        }
        top.eval();
        for (int n : {0, 1}) {
            if (!moved[n]) continue;
            if (tell && n == 0) fputc(sources[n].wires(), stderr);  // As the design has taken them.
            sources[n].drive();
            if (!sources[n].done()) busy = now;
        }
        if (edge) {
            for (Sink& sink : sinks) {
                sink.look(now);
                if (sink.within()) busy = now;
            }
        } else {
            top.eval();
        }
        if (now > busy + patience) break;
    }
    for (Sink& sink : sinks)
        if (sink.within()) sink.finish(system);
    const auto& root = *top.rootp;
    put(255, 1);
    put(cycles, 8);
#define COUNTER(name) put(root.top__DOT__filter__DOT__gate__DOT__stat_##name, 8)
    COUNTER(received);
    COUNTER(pass);
    COUNTER(drop);
    COUNTER(aborted);
    COUNTER(tx);
    COUNTER(redirect);
    COUNTER(overflow);
    COUNTER(bad);
    put(root.top__DOT__total_returned, 8);
    put(root.top__DOT__total_returned_bad, 8);
    put(root.top__DOT__total_returned_overflow, 8);
    top.final();
}
