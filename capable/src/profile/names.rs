//! Capabilities in JSON are written as names: `"CAP_NET_RAW"`, or `"CAP_41"` if there is no name.

use serde::{Deserialize as _, Deserializer, Serializer, de};

use crate::capability::Capability;

/// Writes the name.
pub(super) fn serialize<S: Serializer>(
    capability: &Capability,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(capability)
}

/// Reads a name, in any spelling that a user may type.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Capability, D::Error> {
    let name = String::deserialize(deserializer)?;
    name.parse().map_err(de::Error::custom)
}

/// A capability or null.
pub(super) mod option {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    use crate::capability::Capability;

    pub(in crate::profile) fn serialize<S: Serializer>(
        capability: &Option<Capability>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match capability {
            Some(capability) => serializer.collect_str(capability),
            None => serializer.serialize_none(),
        }
    }

    pub(in crate::profile) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Capability>, D::Error> {
        Option::<String>::deserialize(deserializer)?
            .map(|name| name.parse().map_err(de::Error::custom))
            .transpose()
    }
}

/// A set is a list of names, by number.
pub(super) mod set {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    use crate::capability::{Capability, CapabilitySet};

    pub(in crate::profile) fn serialize<S: Serializer>(
        set: &CapabilitySet,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(set.iter().map(|capability| capability.to_string()))
    }

    pub(in crate::profile) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<CapabilitySet, D::Error> {
        Vec::<String>::deserialize(deserializer)?
            .iter()
            .map(|name| name.parse::<Capability>().map_err(de::Error::custom))
            .collect()
    }
}
