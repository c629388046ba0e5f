/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What XDP programs use besides the kernel's own headers, of which <linux/bpf.h> comes first. With
 * libbpf's bpf_helpers.h and bpf_endian.h, include those before, or instead.
 */
#ifndef RXGATE_XDP_H
#define RXGATE_XDP_H

#ifndef SEC
#define SEC(name) __attribute__((section(name), used))
#endif
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* Helpers, by their numbers in enum bpf_func_id, of which older headers lack some. All clocks give
 * the time at which the packet was launched; what is printed is dropped. bpf_xdp_get_buff_len() is the
 * length of the frame in bytes. bpf_xdp_load_bytes() returns 0, or an error and leaves `to` as it was.
 */
#ifndef __BPF_HELPERS__
static __u64 (*const bpf_ktime_get_ns)(void) = (void *)5;
static __u64 (*const bpf_ktime_get_boot_ns)(void) = (void *)125;
static __u64 (*const bpf_ktime_get_coarse_ns)(void) = (void *)160;
static __u64 (*const bpf_ktime_get_tai_ns)(void) = (void *)208;
static __u32 (*const bpf_get_prandom_u32)(void) = (void *)7;
static __u32 (*const bpf_get_smp_processor_id)(void) = (void *)8;
static long (*const bpf_get_numa_node_id)(void) = (void *)42;
static __u64 (*const bpf_xdp_get_buff_len)(struct xdp_md *ctx) = (void *)188;
static long (*const bpf_xdp_load_bytes)(struct xdp_md *ctx, __u32 offset, void *to, __u32 size) =
	(void *)189;
static __s64 (*const bpf_csum_diff)(const __be32 *from, __u32 from_size, const __be32 *to,
				    __u32 to_size, __wsum seed) = (void *)28;
static long (*const bpf_trace_printk)(const char *text, __u32 size, ...) = (void *)6;
static long (*const bpf_trace_vprintk)(const char *text, __u32 size, const void *data,
				       __u32 data_size) = (void *)177;
static long (*const bpf_loop)(__u32 count, void *callback, void *ctx, __u64 flags) =
	(void *)BPF_FUNC_loop;
#endif

/* bpf_for (i, start, end) runs its body with i = start ... end - 1, bpf_repeat (n) n times. */
#ifndef bpf_for
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) SEC(".ksyms");
extern int *bpf_iter_num_next(struct bpf_iter_num *it) SEC(".ksyms");
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) SEC(".ksyms");

#define rxgate_numbers(start, end) \
	struct bpf_iter_num rxgate_it __attribute__((aligned(8), cleanup(bpf_iter_num_destroy))), \
	*rxgate_made __attribute__((unused)) = (bpf_iter_num_new(&rxgate_it, (start), (end)), (void *)0)
#define bpf_for(i, start, end) \
	for (rxgate_numbers(start, end); \
	     ({ int *rxgate_n = bpf_iter_num_next(&rxgate_it); rxgate_n && ((i) = *rxgate_n, 1); });)
#define bpf_repeat(n) for (rxgate_numbers(0, n); bpf_iter_num_next(&rxgate_it);)
#endif

#ifndef bpf_printk
#define bpf_printk(text, ...)                                            \
	({                                                               \
		static const char printed[] = text;                      \
		bpf_trace_printk(printed, sizeof(printed), ##__VA_ARGS__); \
	})
#endif

/* Metadata of the packet, by functions of the kernel: 0, or -61 (-ENODATA) for a packet that has none,
 * or -95 (-EOPNOTSUPP) on a NIC that offers none; what they fill then stays as it was.
 */
#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif
#ifndef __weak
#define __weak __attribute__((weak))
#endif
#ifndef __VMLINUX_H__
enum xdp_rss_hash_type {
	XDP_RSS_TYPE_NONE = 0,
	XDP_RSS_TYPE_L3_IPV4 = 1,
	XDP_RSS_TYPE_L3_IPV6 = 2,
	XDP_RSS_TYPE_L4_IPV4_TCP = 25,
	XDP_RSS_TYPE_L4_IPV4_UDP = 41,
	XDP_RSS_TYPE_L4_IPV4_SCTP = 73,
	XDP_RSS_TYPE_L4_IPV6_TCP = 26,
	XDP_RSS_TYPE_L4_IPV6_UDP = 42,
	XDP_RSS_TYPE_L4_IPV6_SCTP = 74,
};
#endif
extern int bpf_xdp_metadata_rx_hash(const struct xdp_md *ctx, __u32 *hash,
				    enum xdp_rss_hash_type *rss_type) __ksym __weak;
extern int bpf_xdp_metadata_rx_vlan_tag(const struct xdp_md *ctx, __be16 *vlan_proto,
					__u16 *vlan_tci) __ksym __weak;
extern int bpf_xdp_metadata_rx_timestamp(const struct xdp_md *ctx, __u64 *timestamp) __ksym __weak;

#ifndef bpf_ntohs
#define bpf_ntohs(x) __builtin_bswap16(x)
#define bpf_htons(x) __builtin_bswap16(x)
#define bpf_ntohl(x) __builtin_bswap32(x)
#define bpf_htonl(x) __builtin_bswap32(x)
#endif

#endif
