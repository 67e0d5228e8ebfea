//! The eBPF objects: their maps made, their configuration frozen, their programs loaded.

mod error;
pub(super) mod image;
mod load;

use std::{
    collections::HashMap,
    os::fd::{AsFd as _, AsRawFd as _, OwnedFd},
};

use aya::maps::{Map, MapData, MapError};
use aya_obj::EbpfSectionKind;
use capable_common::Config;

use super::{specialise, sys};
use crate::kernel::hook::Transport;
pub use error::ObjectError;
use image::Image;

/// The map of the kernel side's own log, in the ring buffer's object.
const LOG: &str = "AYA_LOGS";

/// The map of read-only globals, which holds the configuration.
const SETTINGS: &str = ".rodata";

/// The map of globals that are written while a trace runs. Only the ring buffer's object has it,
/// and every kernel with a ring buffer can map it (5.5 and later).
const WRITTEN: &str = ".bss";

/// `BPF_F_MMAPABLE` (include/uapi/linux/bpf.h).
const MAPPABLE: u32 = 1 << 10;

/// An object whose maps exist and whose programs can be loaded.
pub struct Object {
    image: Image,
    maps: HashMap<String, Map>,
    /// The descriptor of the map that holds the configuration, and what is frozen in it.
    settings: (i32, Vec<u8>),
    /// Whether programs are specialised for it.
    mode: specialise::Mode,
}

/// A loaded program.
pub struct Loaded {
    /// The name that errors and counters show.
    pub name: &'static str,
    /// The program.
    pub program: OwnedFd,
}

impl Object {
    /// Creates the maps of a transport's object, some of them with the sizes given, and freezes the
    /// configuration.
    pub fn open(
        transport: Transport,
        config: &Config,
        sizes: &[(&str, u32)],
        log_level: u8,
    ) -> Result<Self, ObjectError> {
        let mut image = Image::read(transport, config, log_level)?;
        let (mut maps, mut descriptions) = (Vec::new(), Vec::new());
        let mut settings = (-1, Vec::new());
        for (name, mut map) in image.take_maps() {
            if let Some(&(_, size)) = sizes.iter().find(|(wanted, _)| *wanted == name) {
                map.set_max_entries(size);
            }
            if name == LOG && log_level == 0 {
                // The smallest ring buffer is a page; no architecture has pages of 4 GiB.
                map.set_max_entries(u32::try_from(rustix::param::page_size()).unwrap_or(u32::MAX));
            }
            if name == WRITTEN
                && let aya_obj::Map::Legacy(section) = &mut map
            {
                section.def.map_flags |= MAPPABLE;
            }
            let section = map.section_kind();
            let data = map.data().to_vec();
            let fail = |error| ObjectError::Map {
                name: name.clone(),
                error,
                hint: "",
            };
            let description = map.clone();
            let map = MapData::create(map, &name, None)
                .map_err(|error| ObjectError::no_map(&name, error))?;
            if !data.is_empty() {
                sys::fill_section(map.fd().as_fd(), &data).map_err(fail)?;
            }
            if section == EbpfSectionKind::Rodata {
                sys::freeze(map.fd().as_fd()).map_err(fail)?;
                if name == SETTINGS {
                    settings = (map.fd().as_fd().as_raw_fd(), data);
                }
            }
            descriptions.push((name.clone(), map.fd().as_fd().as_raw_fd(), description));
            maps.push((name, map));
        }
        image.set_maps(descriptions)?;
        let maps = maps
            .into_iter()
            .map(|(name, map)| Ok((name, Map::from_map_data(map)?)))
            .collect::<Result<_, MapError>>()
            .map_err(ObjectError::damaged)?;
        Ok(Self {
            image,
            maps,
            settings,
            mode: specialise::Mode::of_environment(),
        })
    }

    /// Borrows a map to read or write it. It stays in the object, because programs that load later
    /// refer to it.
    ///
    /// # Errors
    ///
    /// The object has no such map, or it is of another kind.
    pub fn map<'a, T: TryFrom<&'a mut Map, Error = MapError>>(
        &'a mut self,
        name: &'static str,
    ) -> Result<T, ObjectError> {
        let missing = || ObjectError::Damaged(format!("it has no map {name}"));
        let map = self.maps.get_mut(name).ok_or_else(missing)?;
        T::try_from(map).map_err(|error| ObjectError::Damaged(format!("{name}: {error}")))
    }

    /// Takes a map out, to keep it for longer than the object.
    ///
    /// # Errors
    ///
    /// The object has no such map, or it is of another kind.
    pub fn take_map<T: TryFrom<Map, Error = MapError>>(
        &mut self,
        name: &'static str,
    ) -> Result<T, ObjectError> {
        let missing = || ObjectError::Damaged(format!("it has no map {name}"));
        let map = self.maps.remove(name).ok_or_else(missing)?;
        T::try_from(map).map_err(|error| ObjectError::Damaged(format!("{name}: {error}")))
    }

    /// A second descriptor of a map of counts, for operations that aya does not offer.
    pub fn duplicate(&self, name: &'static str) -> Result<OwnedFd, ObjectError> {
        match self.maps.get(name) {
            Some(Map::PerCpuHashMap(map)) => {
                map.fd()
                    .as_fd()
                    .try_clone_to_owned()
                    .map_err(|error| ObjectError::Map {
                        name: name.to_owned(),
                        error,
                        hint: "",
                    })
            }
            _ => Err(ObjectError::Damaged(format!("it has no counts {name}"))),
        }
    }
}
