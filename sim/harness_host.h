// Writes of a host -> AXI4-Lite on s_axil, if there is one, with pauses on every channel.
#pragma once

#include <deque>

#include "harness_io.h"

struct Write {
    uint32_t address, value;
    uint8_t strobe;
};

template <class Top> class Host {
    static constexpr bool HAS_PORT = requires(Top top) { top.s_axil_awvalid; };
    static constexpr double PAUSE = 0.2;
    Top& m_top;
    Random m_random;
    std::deque<Write> m_writes;
    // Writes of which address and value have been transferred, less those that were answered.
    size_t m_addresses = 0, m_values = 0;
    bool m_address = false, m_value = false;

public:
    Host(Top& top, const Options& options)
        : m_top{top}
        , m_random{options.seed ^ 0x7456d1f2a3b9c8e5ULL} {}

    std::deque<Write>& queue() { return m_writes; }
    bool done() const { return !HAS_PORT || m_writes.empty(); }

    void hold_still() {
        if constexpr (HAS_PORT) {
            m_top.s_axil_awvalid = m_top.s_axil_wvalid = m_top.s_axil_arvalid = 0;
            m_top.s_axil_bready = m_top.s_axil_rready = 0;
        }
    }

    // Once per cycle, before the ports are read.
    void drive() {
        if constexpr (HAS_PORT) {
            if (m_writes.empty()) return hold_still();
            m_address = m_address || (m_addresses < m_writes.size() && !m_random.chance(PAUSE));
            m_value = m_value || (m_values < m_writes.size() && !m_random.chance(PAUSE));
            m_top.s_axil_awvalid = m_address;
            m_top.s_axil_wvalid = m_value;
            m_top.s_axil_bready = !m_random.chance(PAUSE);
            if (m_address) m_top.s_axil_awaddr = m_writes[m_addresses].address;
            if (m_value) {
                m_top.s_axil_wdata = m_writes[m_values].value;
                m_top.s_axil_wstrb = m_writes[m_values].strobe;
            }
        }
    }

    // Once per cycle, before the edge. True when the answer to a write is an error.
    bool refused() {
        if constexpr (HAS_PORT) {
            if (m_writes.empty()) return false;
            if (m_address && m_top.s_axil_awready) m_address = false, ++m_addresses;
            if (m_value && m_top.s_axil_wready) m_value = false, ++m_values;
            if (m_top.s_axil_bvalid && m_top.s_axil_bready) {
                const bool error = m_top.s_axil_bresp;
                m_writes.pop_front(), --m_addresses, --m_values;
                return error;
            }
        }
        return false;
    }
};
