package subject

import (
	"encoding/binary"
	"strings"
)

// Words of substitute names: 64 of each.
const (
	colours = "Amber Ashen Azure Beige Birch Black Blue Brass Bright Bronze Brown Calm Cedar Clear Cobalt Copper Coral Cream Crimson Dusky Ebony Fair Fern Flax " +
		"Frosty Gentle Gold Green Grey Hazel Indigo Ivory Jade Lilac Linen Lunar Maple Mellow Misty Mossy Navy Olive Opal Pale Pearl Pine Plum Quiet Rosy Ruby Rust Sandy " +
		"Scarlet Silver Slate Snowy Solar Swift Tawny Teal Umber Violet White Willow"
	animals = "Badger Bear Beaver Bison Bittern Bunting Buzzard Camel Chough Crane Curlew Deer Dipper Dolphin Dove Duck Eagle Egret Eider Elk Falcon Finch Fox Gannet " +
		"Goose Grebe Grouse Gull Hare Heron Hoopoe Ibis Jackdaw Jay Kestrel Kite Lark Linnet Lynx Magpie Martin Mole Moose Newt Oriole Osprey Otter Owl Petrel Pipit Plover Puffin " +
		"Quail Rail Raven Robin Seal Shrike Skua Snipe Stoat Swan Tern Wren"
	tail = "0123456789abcdefghjkmnpqrstvwxyz"
)

// Substitute is the name that stands for a person wherever who they are is masked, such as "Amber Heron k7q2": always the
// same for one person here, never that of another, and of no use elsewhere. It is made of their number under a key, and says
// nothing of them. "" for nobody.
func (p *People) Substitute(n Number) string {
	if n == 0 {
		return ""
	}
	x := p.shuffle(uint32(n))
	out := strings.Fields(colours)[x>>26] + " " + strings.Fields(animals)[x>>20&63] + " "
	for shift := 15; shift >= 0; shift -= 5 {
		out += tail[x>>shift&31:][:1]
	}
	return out
}

// shuffle is a permutation of all numbers, by a keyed Feistel network: two people never share a name.
func (p *People) shuffle(x uint32) uint32 {
	left, right := uint16(x>>16), uint16(x)
	for round := range byte(6) {
		sum := p.vault.MAC("substitute-name", []byte{round}, binary.BigEndian.AppendUint16(nil, right))
		left, right = right, left^binary.BigEndian.Uint16(sum[:])
	}
	return uint32(left)<<16 | uint32(right)
}
