// A frame -> descriptor, verdict and fate: what is the same for every program that sim/native.py translates.
// The models are those of ctx_map/models.py, sim/interp.py, sim/helpers.py and sim/surroundings.py.
#pragma once

#include <string.h>

#include "native_abi.h"

namespace {

inline uint16_t swapped(uint16_t a) { return __builtin_bswap16(a); }
inline uint32_t swapped(uint32_t a) { return __builtin_bswap32(a); }
inline uint64_t swapped(uint64_t a) { return __builtin_bswap64(a); }

// Big-endian numbers in packets.
inline uint32_t half(const uint8_t* at) { return at[0] << 8 | at[1]; }

inline bool is_tag(const uint8_t* at) { return half(at) == 0x8100 || half(at) == 0x88a8; }

// The Toeplitz hash: what each value of each input byte adds.
struct Toeplitz {
    uint32_t table[36][256];

    explicit Toeplitz(const uint8_t* key) {
        for (unsigned at = 0; at < 36; ++at) {
            uint64_t bits = 0;
            for (unsigned i = 0; i < 5; ++i) bits = bits << 8 | key[at + i];
            for (unsigned value = 0; value < 256; ++value) {
                uint32_t sum = 0;
                for (unsigned bit = 0; bit < 8; ++bit)
                    if (value & 0x80 >> bit) sum ^= uint32_t(bits >> (8 - bit));
                table[at][value] = sum;
            }
        }
    }
    uint32_t operator()(const uint8_t* bytes, unsigned size, const uint8_t* ports) const {
        uint32_t sum = 0;
        for (unsigned i = 0; i < size; ++i) sum ^= table[i][bytes[i]];
        if (ports)
            for (unsigned i = 0; i < 4; ++i) sum ^= table[size + i][ports[i]];
        return sum;
    }
};

struct Hash {
    uint32_t value, type;
};

inline Hash hash_behind(const uint8_t* addresses, unsigned size, uint32_t l3, uint32_t l4,
                        const uint8_t* ports, const uint8_t* end) {
    static const Toeplitz toeplitz{HASH_KEY};
    if (!l4) return {toeplitz(addresses, size, nullptr), l3};
    if (end - ports < 4) return {0, 0};
    return {toeplitz(addresses, size, ports), l4};
}

// By the number of an IP protocol: the type of a hash over ports, 0 for those without.
inline uint32_t l4(unsigned protocol, uint32_t tcp, uint32_t udp, uint32_t sctp) {
    return protocol == 6 ? tcp : protocol == 17 ? udp : protocol == 132 ? sctp : 0;
}

inline Hash receive_hash(const Packet& p) {
    const uint8_t *end = p.data + p.size, *at = p.data + 12;
    if (p.size < 14) return {0, 0};
    for (unsigned n = 0; n < p.tags && end - at >= 4 && is_tag(at); ++n) at += 4;
    if (end - at < 2) return {0, 0};
    const uint8_t* ip = at + 2;
    if (half(at) == 0x0800) {
        if (end - ip < 20 || ip[0] >> 4 != 4 || (ip[0] & 15) < 5) return {0, 0};
        const bool fragment = half(ip + 6) & 0x3fff;
        const uint32_t type = fragment ? 0 : l4(ip[9], L4_IPV4_TCP, L4_IPV4_UDP, L4_IPV4_SCTP);
        return hash_behind(ip + 12, 8, L3_IPV4, type, ip + (ip[0] & 15) * 4, end);
    }
    if (half(at) == 0x86dd) {
        if (end - ip < 40 || ip[0] >> 4 != 6) return {0, 0};
        const uint32_t type = l4(ip[6], L4_IPV6_TCP, L4_IPV6_UDP, L4_IPV6_SCTP);
        return hash_behind(ip + 8, 32, L3_IPV6, type, ip + 40, end);
    }
    return {0, 0};
}

// The folded RFC 1071 sum from byte 14 on. Swapping the bytes of all words swaps those of the sum.
inline uint32_t checksum(const Packet& p) {
    uint64_t sum = 0;
    uint32_t at = 14;
    for (; at + 4 <= p.size; at += 4) {
        uint32_t word;
        memcpy(&word, p.data + at, 4);
        sum += word;
    }
    for (unsigned shift = 0; at < p.size; ++at, shift += 8) sum += uint64_t{p.data[at]} << shift;
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xff) << 8 | sum >> 8;
}

inline uint32_t protocol(const Packet& p) {
    if (p.size < 14) return 0;
    const uint32_t ethertype = half(p.data + 12);
    if (ethertype >= 0x0600) return ethertype;
    return p.size >= 16 && half(p.data + 14) == 0xffff ? 0x0001 : 0x0004;
}

// The signals of ctx_map/descriptor.py, by their names.
struct Descriptor {
    const Packet& p;

    uint32_t len() const { return p.size; }
    uint32_t hash() const { return receive_hash(p).value; }
    uint32_t hash_type() const { return receive_hash(p).type; }
    uint32_t vlan_tci() const { return p.vlan_tci; }
    uint32_t vlan_proto() const { return p.vlan_proto; }
    uint32_t csum() const { return checksum(p); }
    uint32_t ingress_ifindex() const { return p.ingress_ifindex; }
    uint32_t rx_queue_index() const { return p.rx_queue_index; }
    uint32_t protocol() const { return ::protocol(p); }
};

// The context word that starts at byte 4 * n.
uint32_t context_word(const Descriptor& d, uint64_t n);

// One's complement sums, of which only the sum of zeros is 0.
inline uint64_t modulo(uint64_t total, uint64_t modulus) {
    return total ? (total - 1) % modulus + 1 : 0;
}

inline uint64_t partial(const uint8_t* data, uint64_t size, uint64_t seed) {
    uint64_t sum = seed;
    for (uint64_t at = 0; at < size; ++at) sum += uint64_t{data[at]} << 8 * (at % 4);
    return modulo(sum, 0xffffffff);
}

enum End { RETURNED, OUTSIDE_PACKET, FAULT };

// What a program reaches, at the interpreter's addresses. Calls that give false end the program.
struct Machine {
    static constexpr uint64_t REGION = 44, CONTEXT = 1ULL << REGION, STACK = 2 * CONTEXT,
                              DATA_START = 3 * CONTEXT, OFFSET = CONTEXT - 1;
    static constexpr int64_t REACH = 0xffff;
    struct Call {
        unsigned slot;
        uint64_t saved[5];
    };

    const Packet& p;
    const uint64_t ktime;
    const uint32_t number;
    End end = FAULT;
    unsigned depth = 0;
    Call calls[MAX_FRAMES];
    uint8_t stack[STACK_SIZE * MAX_FRAMES];

    Machine(const Packet& packet, uint64_t time, uint32_t count)
        : p{packet}
        , ktime{time}
        , number{count} {
        memset(stack, 0, STACK_SIZE);
    }

    template <class T> bool load(uint64_t address, uint64_t& value) {
        if (address >> REGION == 1) return load_context(address & OFFSET, sizeof(T), value);
        const uint8_t* from = bytes(address, sizeof(T));
        if (!from) return false;
        T loaded;
        memcpy(&loaded, from, sizeof loaded);
        value = loaded;
        return true;
    }

    template <class T> bool store(uint64_t address, uint64_t value) {
        uint8_t* to = place(address, sizeof(T));
        const T stored = T(value);
        if (to) memcpy(to, &stored, sizeof stored);
        return to;
    }

    // LD_ABS and LD_IND; false without a fault when it is outside.
    template <class T> bool load_packet(uint32_t offset, uint64_t& value) const {
        const int64_t at = int32_t(offset);
        if (at < 0 || at + int64_t(sizeof(T)) > int64_t(p.size)) return false;
        value = 0;
        for (unsigned i = 0; i < sizeof(T); ++i) value = value << 8 | p.data[at + i];
        return true;
    }

    // A function is called at a slot.
    bool enter(unsigned slot, uint64_t r6, uint64_t r7, uint64_t r8, uint64_t r9, uint64_t r10) {
        if (depth + 1 >= MAX_FRAMES) return false;
        calls[depth++] = {slot, {r6, r7, r8, r9, r10}};
        memset(stack + depth * STACK_SIZE, 0, STACK_SIZE);
        return true;
    }

    uint64_t prandom(unsigned slot) const {
        uint32_t site = 0;
        for (unsigned i = 0; i < depth; ++i) site = site * 4099 + calls[i].slot + 1;
        uint32_t x = number ^ PRANDOM_SEED, y = site * 4099 + slot + 1;
        for (const uint32_t constant : ROUND_CONSTANTS) {
            x = ((x >> ROTATE_RIGHT | x << (32 - ROTATE_RIGHT)) + y) ^ constant;
            y = (y << ROTATE_LEFT | y >> (32 - ROTATE_LEFT)) ^ x;
        }
        return y;
    }

    bool skb_load_bytes(uint64_t& r0, uint64_t offset, uint64_t to, uint64_t size) {
        uint8_t* out = place(to, size);
        if (!out) return false;
        const bool inside = offset + size <= p.size;
        r0 = inside ? 0 : uint64_t(-EFAULT);
        if (inside) memcpy(out, p.data + offset, size);
        else memset(out, 0, size);
        return true;
    }

    bool xdp_load_bytes(uint64_t& r0, uint64_t offset, uint64_t to, uint64_t size) {
        r0 = offset > 0xffff ? uint64_t(-EFAULT) : offset + size > p.size ? uint64_t(-EINVAL) : 0;
        if (r0) return true;
        uint8_t* out = place(to, size);
        if (out) memcpy(out, p.data + offset, size);
        return out;
    }

    bool csum_diff(uint64_t& r0, uint64_t from, uint64_t from_size, uint64_t to, uint64_t to_size,
                   uint64_t seed) {
        const uint8_t* before = from_size ? bytes(from, from_size) : nullptr;
        if (from_size && !before) return false;
        const uint8_t* after = to_size ? bytes(to, to_size) : nullptr;
        if (to_size && !after) return false;
        constexpr uint64_t ONES = 0xffffffff;
        uint64_t total;
        if (from_size && to_size)
            total = partial(after, to_size, seed) + (ONES ^ partial(before, from_size, 0));
        else if (from_size) total = ONES ^ partial(before, from_size, ONES ^ seed);
        else total = partial(after, to_size, seed);
        r0 = modulo(modulo(total, ONES), 0xffff);
        return true;
    }

private:
    bool load_context(uint64_t offset, unsigned size, uint64_t& value) const {
        if (offset + size > CONTEXT_SIZE) return false;
        const Descriptor d{p};
        const unsigned shift = 8 * (offset % 4);
        value = context_word(d, offset / 4);
        if (shift / 8 + size > 4) value |= uint64_t{context_word(d, offset / 4 + 1)} << 32;
        value >>= shift;
        if (shift && size == 8) value |= uint64_t{context_word(d, offset / 4 + 2)} << (64 - shift);
        if (size < 8) value &= (1ULL << 8 * size) - 1;
        return true;
    }

    // Where bytes are loaded from; null when the program ends there.
    const uint8_t* bytes(uint64_t address, uint64_t size) {
        if (address < CONTEXT) {
            if (size > REACH) return nullptr;
            const int64_t offset = int64_t(address - PACKET_ADDRESS);
            const int64_t last = int64_t(p.size) - int64_t(size);
            if (last < offset && offset <= REACH) end = OUTSIDE_PACKET;
            return 0 <= offset && offset <= last ? p.data + offset : nullptr;
        }
        const uint64_t offset = address & OFFSET;
        if (address >> REGION == 3) return within(offset, size, DATA_SIZE) ? data + offset : nullptr;
        return place(address, size);
    }

    // Where bytes are stored; null when no verified program stores there.
    uint8_t* place(uint64_t address, uint64_t size) {
        const uint64_t offset = address & OFFSET;
        const bool fits = address >> REGION == 2 && within(offset, size, sizeof stack);
        return fits ? stack + offset : nullptr;
    }

    static bool within(uint64_t offset, uint64_t size, uint64_t room) {
        return size <= room && offset <= room - size;
    }
};

// The program. What it returns is in r0.
End execute(Machine& m, uint64_t& r0);

// How a return value is read.
uint8_t verdict_of(uint32_t r0);

void receive(uint8_t* frame, uint32_t size, uint8_t err, uint32_t ingress_ifindex,
             uint32_t rx_queue_index, Packet* p) {
    const bool tagged = size >= 16 && is_tag(frame + 12);
    const uint32_t limit = MAX_FRAME + (STRIP_VLAN && tagged ? 4 : 0);
    const bool cut = size > limit;
    if (cut) size = limit;
    *p = {frame, size, ingress_ifindex, rx_queue_index, 0, 0, MAX_TAGS, uint8_t(err || cut)};
    if (!tagged || size < 16) return;
    p->vlan_proto = half(frame + 12);
    p->vlan_tci = half(frame + 14);
    if (STRIP_VLAN) {
        memmove(frame + 4, frame, 12);
        p->data += 4;
        p->size -= 4;
        --p->tags;
    }
}

// A number into bits that are 0; there are 8 bytes more than those of tuser.
inline void put_bits(uint8_t* to, unsigned offset, uint64_t value) {
    uint64_t bits;
    memcpy(&bits, to + offset / 8, sizeof bits);
    bits |= value << offset % 8;
    memcpy(to + offset / 8, &bits, sizeof bits);
}

int judge(const Packet* p, uint64_t ktime, uint32_t number, Judged* judged) {
    Machine m{*p, ktime, number};
    judged->r0 = 0;
    const End end = execute(m, judged->r0);
    if (end == FAULT) return 0;
    if (end == OUTSIDE_PACKET) judged->r0 = 0;
    judged->verdict = verdict_of(uint32_t(judged->r0));
    judged->counter = p->bad ? COUNTER_BAD : COUNTER_OF[judged->verdict];
    judged->leaves = MARKS || (!DROPS[judged->verdict] && !(p->bad && STORE_AND_FORWARD));
    return 1;
}

}  // namespace
