//! All programs of both objects, for random configurations.

use aya_obj::Map;

use super::{configuration::configuration, world::Maps, *};
use crate::kernel::{
    bpf::{instruction::InstructionKind, object::image::Image},
    hook::Transport,
};

/// For how many configurations each program is specialised by default.
const CONFIGURATIONS: u64 = 8;

/// In how many worlds each of them is run.
const WORLDS: u64 = 16;

/// The object of a transport, prepared without the kernel.
struct Object {
    image: Image,
    /// Its maps, with numbers in place of descriptors.
    maps: Maps,
    /// The number and the content of the map of settings.
    settings: (i32, Vec<u8>),
}

impl Object {
    /// The object with the configuration made from a seed.
    fn new(transport: Transport, seed: u64) -> Self {
        let mut image = Image::read(transport, &configuration(seed), (seed % 6) as u8).unwrap();
        let mut maps: Vec<(String, Map)> = image.take_maps().collect();
        maps.sort_by(|(one, _), (other, _)| one.cmp(other));
        let numbered = || (1..).zip(&maps);
        let described = numbered().map(|(number, (name, map))| (name.clone(), number, map.clone()));
        image.set_maps(described.collect()).unwrap();
        let size = |map: &Map| (map.key_size() as usize, map.value_size() as usize);
        let (number, (_, map)) = numbered().find(|(_, (name, _))| name == ".rodata").unwrap();
        Self {
            image,
            maps: numbered()
                .map(|(number, (_, map))| (number, size(map)))
                .collect(),
            settings: (number, map.data().to_vec()),
        }
    }

    /// A program, as it was built and specialised.
    fn program(&mut self, name: &str) -> [Vec<Instruction>; 2] {
        let built = self.image.take_program(name).unwrap().instructions;
        let (map, bytes) = &self.settings;
        let specialised = specialise(&built, Settings { map: *map, bytes })
            .unwrap_or_else(|obstacle| panic!("{name}: {obstacle}"));
        [&built, &specialised].map(|code| code.iter().map(Instruction::from).collect())
    }
}

/// The helpers that a program can call.
fn helpers(code: &[Instruction]) -> impl Iterator<Item = u32> {
    let helper =
        |one: &Instruction| (one.kind() == InstructionKind::Helper).then_some(one.imm as u32);
    code.iter().filter_map(helper)
}

#[test]
fn the_programs_do_the_same_specialised() {
    let configurations = from_environment("DIFFERENTIAL_CONFIGURATIONS", CONFIGURATIONS);
    let seed = from_environment("DIFFERENTIAL_SEED", SEED);
    let (mut known, mut called) = (BTreeSet::new(), BTreeSet::new());
    for seed in seed..seed + configurations {
        for transport in [Transport::Ring, Transport::Perf] {
            let mut object = Object::new(transport, seed);
            let names: Vec<String> = object.image.names().map(str::to_owned).collect();
            for name in &names {
                let [built, specialised] = object.program(name);
                assert!(specialised.len() < built.len(), "{name}, {seed}");
                let setting = Setting {
                    seed: seed * WORLDS,
                    settings: &object.settings.1,
                    maps: &object.maps,
                };
                let map = object.settings.0;
                match compare([&built, &specialised], map, &setting, WORLDS) {
                    Ok(helpers) => called.extend(helpers),
                    Err(world) => {
                        panic!("{name} by {transport:?} with configuration {seed} in world {world}")
                    }
                }
                known.extend(helpers(&built));
            }
        }
    }
    println!("{configurations} configurations from seed {seed}: helpers {called:?} of {known:?}");
    // Otherwise too little would be compared.
    let most = called.len() * 4 > known.len() * 3;
    assert!(most, "{called:?} of {known:?}");
}
