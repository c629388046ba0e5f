/* Calls of helpers and kernel functions, a program per section; what each returns depends on all that
 * the calls gave and left in memory.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <rxgate/xdp.h>

#define FORGET(x) asm volatile("" : "+r"(x))

SEC("xdp/metadata")
int metadata(struct xdp_md *ctx)
{
	enum xdp_rss_hash_type type = 7;
	__u16 proto = 3, tci = 4;
	__u64 time = 6, sum;
	__u32 hash = 5;

	sum = bpf_xdp_metadata_rx_hash(ctx, &hash, &type);
	sum = sum * 3 + bpf_xdp_metadata_rx_vlan_tag(ctx, &proto, &tci);
	sum = sum * 3 + bpf_xdp_metadata_rx_timestamp(ctx, &time);
	bpf_printk("hash %x of %d", hash, type);
	sum = sum * 5 + hash;
	sum = sum * 5 + type;
	sum = sum * 5 + proto;
	sum = sum * 5 + tci;
	return sum * 5 + time;
}

static __noinline int flow(struct xdp_md *ctx, __u32 *hash)
{
	enum xdp_rss_hash_type type;

	return bpf_xdp_metadata_rx_hash(ctx, hash, &type);
}

SEC("xdp/caller")
int caller(struct xdp_md *ctx)
{
	__u32 hash = 77;

	if (!bpf_xdp_metadata_rx_hash)
		return XDP_ABORTED;
	if (flow(ctx, &hash) < 0)
		return hash == 77 ? XDP_PASS : XDP_ABORTED;
	return hash & 1 ? XDP_DROP : XDP_TX;
}

SEC("xdp/clocks")
int clocks(struct xdp_md *ctx)
{
	__u64 sum = bpf_ktime_get_ns();

	sum = sum * 3 - bpf_ktime_get_boot_ns();
	sum = sum * 3 - bpf_ktime_get_coarse_ns();
	sum = sum * 3 - bpf_ktime_get_tai_ns();
	return sum + bpf_get_numa_node_id() + bpf_get_smp_processor_id();
}

SEC("xdp/bytes")
int bytes(struct xdp_md *ctx)
{
	__u8 place[13] = "abcdefghijkl";
	__u32 at = 0, words[3];
	long far, near;

	far = bpf_xdp_load_bytes(ctx, 14, &at, 1);
	near = bpf_xdp_load_bytes(ctx, at & 127, place + 1, 12);
	FORGET(near);
	if (at & 1) {
		far = bpf_xdp_load_bytes(ctx, 65536 + (at & 2), place, 8);
		FORGET(far);
	}
	__builtin_memcpy(words, place + 1, 12);
	return far * 3 + near * 5 + words[0] * 7 + words[1] * 9 + words[2] * 11 + place[0];
}

SEC("xdp/checksum")
int checksum(struct xdp_md *ctx)
{
	static const __u32 numbers[] = { 0xffffffff, 0x12345678, 0xfffefffe };
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__be32 *packet = data + 14;
	__u32 zeros[2] = {}, copy[5];
	__u64 sum = 0;

	if (data + 34 > end)
		return XDP_DROP;
	__builtin_memcpy(copy, packet, 20);
	sum = sum * 3 + bpf_csum_diff(0, 0, packet, 20, 0);
	sum = sum * 3 + bpf_csum_diff(packet, 20, 0, 0, 0);
	sum = sum * 3 + bpf_csum_diff(packet, 20, copy, 16, copy[3]);
	sum = sum * 3 + bpf_csum_diff(copy, 20, packet, 20, 0);
	sum = sum * 3 + bpf_csum_diff(numbers, 4, zeros, 8, 0);
	sum = sum * 3 + bpf_csum_diff(zeros, 8, zeros, 8, 0);
	sum = sum * 3 + bpf_csum_diff(0, 0, 0, 0, copy[3]);
	sum = sum * 3 + bpf_csum_diff(numbers, 12, copy, 16, -1);
	sum = sum * 3 + bpf_csum_diff(packet, 13, copy, 7, 1);
	sum = sum * 3 + bpf_csum_diff(zeros, 4, 0, 0, copy[4]);
	return sum * 3 + bpf_csum_diff(0, 0, zeros, 4, 0);
}

SEC("xdp/header")
int header(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + 14;
	__u8 *options;

	if ((void *)(ip + 1) > end || ip->ihl < 5)
		return XDP_DROP;
	options = (void *)ip + ip->ihl * 4 - 4;
	if ((void *)(options + 4) > end)
		return XDP_DROP;
	return bpf_csum_diff(0, 0, (__be32 *)options, 4, bpf_csum_diff(0, 0, (__be32 *)ip, 20, 0));
}

struct total {
	__u64 sum;
	__u32 stop;
};

static long add(__u32 round, struct total *total)
{
	total->sum = total->sum * 3 + round;
	return round == total->stop;
}

SEC("xdp/loop")
int loop(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u8 *first = data;
	struct total total = {};
	long rounds;

	if (data + 2 > end)
		return XDP_DROP;
	total.stop = first[1] & 7;
	rounds = bpf_loop(first[0] & 15, add, &total, 0);
	return total.sum * 5 + rounds;
}

SEC("xdp/guarded")
int guarded(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u8 *checked, *other;
	__u32 at;

	if (data + 20 > end)
		return XDP_DROP;
	at = *(__u8 *)(data + 14) & 31;
	checked = data + at + 10;
	if ((void *)checked > end)
		return XDP_PASS;
	FORGET(at);
	other = data + (at & 31);
	return bpf_csum_diff(0, 0, (__be32 *)other, 16, at);
}

SEC("xdp/kept")
int kept(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	enum xdp_rss_hash_type type;
	__u32 hash[2], at;
	__u64 word;

	if (data + 14 > end)
		return XDP_DROP;
	at = *(__u8 *)data;
	FORGET(at);
	if (at & 1)
		hash[0] = 5;
	if (at & 2)
		*(volatile __u64 *)&word = at;
	asm volatile("" : : "r"(hash), "r"(&word) : "memory");
	bpf_xdp_metadata_rx_hash(ctx, &hash[0], &type);
	bpf_xdp_load_bytes(ctx, at >> 2, &word, 8);
	return hash[0] * 3 + word;
}
