// A gate in Verilog, as Verilator's C++ -> a program that runs frames through it.
// What it writes says harness_judge.h.
#include "Vrxgate.h"

#include <dlfcn.h>

#include <chrono>

#include "harness_host.h"
#include "harness_stream.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_fst_c.h"
#endif

namespace {

constexpr const char* COUNTERS[] = {"received", "pass", "drop", "aborted",
                                    "tx", "redirect", "overflow", "bad"};
constexpr uint64_t RESET_CYCLES = 4, QUIET_CYCLES = 64;

template <class Top> class Bench {
    static constexpr bool TIME = requires(Top top) { top.trace_ktime; };
    static constexpr bool COMMITS = requires(Top top) { top.trace_commits; };
    VerilatedContext& m_context;
    Top& m_top;
    const Options& m_options;
    Output m_output;
    Input m_input{m_output};
    Judge m_judge;
    Host<Top> m_host;
    Source<Top> m_source;
    Sink<Top> m_sink{m_judge};
    Random m_random;
    uint64_t m_cycle = 0, m_counts[TOTAL] = {};
    uint64_t m_first = 0, m_last = 0, m_stalls = 0, m_sent = 0, m_progress = 0;
    uint64_t m_launches = 0;
    bool m_started = false;
#if VM_TRACE
    VerilatedFstC m_waves;
#endif

public:
    Bench(VerilatedContext& context, Top& top, const Options& options, const Native& native)
        : m_context{context}
        , m_top{top}
        , m_options{options}
        , m_judge{m_output, native, TIME, COMMITS}
        , m_host{top, options}
        , m_source{top, m_input, m_judge, options, m_host.queue()}
        , m_random{~options.seed} {}

    void run() {
#if VM_TRACE
        if (!m_options.waves.empty()) {
            m_context.traceEverOn(true);
            m_top.trace(&m_waves, 99);
            m_waves.open(m_options.waves.c_str());
        }
#endif
        reset();
        const auto start = std::chrono::steady_clock::now();
        uint64_t quiet = 0;
        while (quiet < QUIET_CYCLES) {
            cycle();
            const bool still =
                m_source.done() && m_host.done() && !m_top.m_axis_tvalid && balanced();
            quiet = still ? quiet + 1 : 0;
            if (m_cycle - m_progress > m_options.patience) {
                m_judge.fault(m_cycle, "nothing moves any more");
                break;
            }
        }
        const auto spent = std::chrono::steady_clock::now() - start;
        if (m_sink.within()) m_judge.fault(m_cycle, "the last frame has no end");
#if VM_TRACE
        m_waves.close();
#endif
        m_judge.finish();
        m_output.number('S');
        for (const uint64_t n : {m_first, m_last, m_stalls, m_cycle,
                                 uint64_t(std::chrono::nanoseconds{spent}.count())})
            m_output.number(n);
        for (const uint64_t n : m_counts) m_output.number(n);
        m_output.flush();
    }

private:
    void reset() {
        m_top.s_axis_tvalid = 0;  // Inputs too start with random values.
        m_host.hold_still();
        m_top.rst = 1;
        for (uint64_t i = 0; i < RESET_CYCLES; ++i) edge(true);
        m_top.rst = 0;
        edge(true);
        edge(true);
        read_counters();
        m_progress = m_cycle;
    }

    void edge(bool settle) {
        if (settle) {
            m_top.clk = 0;
            m_top.eval();
        }
        dump(2 * m_cycle);
        m_top.clk = 1;
        m_top.eval();
        dump(2 * m_cycle + 1);
        ++m_cycle;
    }

    void dump([[maybe_unused]] uint64_t time) {
#if VM_TRACE
        if (!m_options.waves.empty()) m_waves.dump(time);
#endif
    }

    void cycle() {
        m_source.drive();
        m_host.drive();
        m_top.m_axis_tready = !m_random.chance(m_options.stall);
        if constexpr (requires { m_top.ktime_ns; }) {
            m_top.ktime_ns = m_options.time + m_cycle * m_options.time_step;
        }
        m_top.clk = 0;
        m_top.eval();
        if (m_source.offering()) accept();
        if (m_host.refused()) m_judge.fault(m_cycle, "a write to the control port is refused");
        if (m_sink.see(m_top, m_cycle)) m_last = m_progress = m_cycle;
        launches();
        counters();
        m_judge.settle();
        edge(false);
    }

    void accept() {
        if (!m_top.s_axis_tready) {
            ++m_stalls;
            return;
        }
        if (m_source.first()) {
            m_judge.entered(m_cycle);
            ++m_sent;
        }
        if (!m_started) m_first = m_cycle;
        m_started = true;
        m_last = m_progress = m_cycle;
        m_source.advance();
    }

    void launches() {
        if constexpr (requires { m_top.trace_valid; }) m_launches += m_top.trace_valid;
        if constexpr (requires { m_top.trace_ktime; }) {
            if (m_top.trace_valid) m_judge.launched_at(m_top.trace_ktime);
        }
        if constexpr (requires { m_top.trace_commits; }) {
            if (m_top.trace_valid) m_judge.launched_after(m_top.trace_commits);
        }
        if constexpr (requires { m_top.trace_data; }) {
            if (m_options.trace && m_launches >= m_options.trace)
                m_judge.trace(m_cycle, &m_top.trace_data, sizeof m_top.trace_data);
        }
    }

    void ports(uint64_t* now) const {
        now[0] = m_top.stat_received, now[1] = m_top.stat_pass, now[2] = m_top.stat_drop;
        now[3] = m_top.stat_aborted, now[4] = m_top.stat_tx, now[5] = m_top.stat_redirect;
        now[6] = m_top.stat_overflow, now[7] = m_top.stat_bad;
    }

    void read_counters() {
        ports(m_counts);
        for (unsigned i = 0; i < TOTAL; ++i)
            if (m_counts[i])
                m_judge.fault(m_cycle, std::string{"stat_"} + COUNTERS[i] + " is not 0 after reset");
    }

    // Each may rise by one; received and overflow rise together.
    void counters() {
        uint64_t now[TOTAL];
        ports(now);
        if (!std::memcmp(now, m_counts, sizeof now)) return;
        m_progress = m_cycle;
        for (unsigned i = 0; i < TOTAL; ++i) {
            if (now[i] == m_counts[i]) continue;
            if (now[i] != m_counts[i] + 1) {
                m_judge.fault(m_cycle, std::string{"stat_"} + COUNTERS[i] + " jumps");
            } else if (i == RECEIVED) {
                m_judge.admitted(now[OVERFLOW] == m_counts[OVERFLOW]);
            } else if (i == OVERFLOW) {
                if (now[RECEIVED] == m_counts[RECEIVED])
                    m_judge.fault(m_cycle, "stat_overflow rises without stat_received");
            } else {
                m_judge.done(i);
            }
        }
        std::memcpy(m_counts, now, sizeof now);
    }

    // Every frame sent has been counted, and counted as done.
    bool balanced() const {
        uint64_t done = 0;
        for (unsigned i = 1; i < TOTAL; ++i) done += m_counts[i];
        return m_counts[RECEIVED] == m_sent && done == m_sent;
    }
};

// The golden model in a shared object that sim/native.py made.
const Native& load(const std::string& path) {
    void* library = dlopen(path.c_str(), RTLD_NOW);
    const void* found = library ? dlsym(library, "rxgate_native") : nullptr;
    if (!found) std::fprintf(stderr, "%s\n", dlerror()), std::_Exit(4);
    return *static_cast<const Native*>(found);
}

}  // namespace

int main(int argc, char** argv) {
    const Options options{argc, argv};
    VerilatedContext context;
    context.randReset(options.random_start ? 2 : 0);
    context.randSeed(int(options.seed % 0x7fffffff) + 1);
    Vrxgate top{&context};
    Bench<Vrxgate>{context, top, options, load(options.native)}.run();
    top.final();
    return 0;
}
