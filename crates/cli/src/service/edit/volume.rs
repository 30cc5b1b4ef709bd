//! `--mount` and `--volume`.

mod generated_name;

use resources::{
    builtin::{Volume, VolumeMount},
    serving::RevisionSpec,
};

use self::generated_name::generated_name;
use super::{
    main_container,
    pairs::{Edit, edit},
    source::Source,
};

#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(super) struct VolumeArgs {
    /// Mount something at a directory: DIR=cm:NAME, secret:NAME, ed:NAME, pvc:NAME or a volume's name, with an
    /// optional /SUBPATH and :readOnly=BOOL; DIR- unmounts
    #[arg(long, value_name = "DIR=SOURCE")]
    mount: Vec<String>,
    /// Add a volume: NAME=cm:NAME, secret:NAME, ed:NAME[:size=SIZE,type=TYPE] or pvc:NAME; NAME- removes it
    #[arg(long, value_name = "NAME=SOURCE")]
    volume: Vec<String>,
}

/// What `--mount` says of one directory.
struct Mount<'a> {
    directory: &'a str,
    volume: String,
    sub_path: Option<String>,
    read_only: Option<bool>,
}

impl VolumeArgs {
    pub(super) fn apply(&self, spec: &mut RevisionSpec) -> Result<(), String> {
        let mut mounts = Vec::new();
        let mut unmounted = Vec::new();
        for text in &self.mount {
            match edit(text).map_err(|error| format!("Invalid --mount: {error}"))? {
                Edit::Set(directory, value) => mounts.push(mount(directory, value, &mut spec.volumes)?),
                Edit::Unset(directory) => unmounted.push(directory),
            }
        }
        let mut removed = Vec::new();
        for text in &self.volume {
            match edit(text).map_err(|error| format!("Invalid --volume: {error}"))? {
                Edit::Set(name, source) => set_volume(&mut spec.volumes, Source::parse(source)?.volume(name)),
                Edit::Unset(name) => removed.push(name.to_owned()),
            }
        }
        for mount in mounts {
            set_mount(spec, mount)?;
        }
        for directory in unmounted {
            removed.extend(unmount(spec, directory));
        }
        for name in removed {
            remove_volume(spec, &name)?;
        }
        Ok(())
    }
}

/// Reads one mount; a source that is no volume yet becomes one, named after the directory.
fn mount<'a>(directory: &'a str, text: &str, volumes: &mut Vec<Volume>) -> Result<Mount<'a>, String> {
    let of = |text: &str, options: Option<&str>| -> Result<(String, Option<String>, Option<bool>), String> {
        let (name, sub_path) = match text.split_once('/') {
            Some((name, "")) => (name, None),
            Some((name, sub_path)) => (name, Some(sub_path.to_owned())),
            None => (text, None),
        };
        Ok((name.to_owned(), sub_path, options.map(read_only).transpose()?))
    };
    let (volume, sub_path, read_only) = match text.split_once(':') {
        None => of(text, None)?,
        Some((volume, options))
            if options.to_ascii_lowercase().starts_with("readonly=") && !volume.contains(':') =>
        {
            of(volume, Some(options))?
        }
        Some((kind, rest)) => {
            let (rest, options) = match rest.split_once(':') {
                Some((rest, options)) => (rest, Some(options)),
                None => (rest, None),
            };
            let (name, sub_path, read_only) = of(rest, options)?;
            let volume = generated_name(directory);
            set_volume(volumes, Source::of(kind, &name)?.volume(&volume));
            (volume, sub_path, read_only)
        }
    };
    Ok(Mount { directory, volume, sub_path, read_only })
}

fn read_only(options: &str) -> Result<bool, String> {
    let (key, value) = options.split_once('=').unwrap_or((options, ""));
    if !key.eq_ignore_ascii_case("readonly") {
        return Err(format!("unknown mount option {key:?}"));
    }
    value.parse().map_err(|_| format!("the mount option readOnly is true or false; got {value:?}"))
}

fn set_volume(volumes: &mut Vec<Volume>, volume: Volume) {
    match volumes.iter_mut().find(|there| there.name == volume.name) {
        Some(there) => *there = volume,
        None => volumes.push(volume),
    }
}

fn set_mount(spec: &mut RevisionSpec, mount: Mount<'_>) -> Result<(), String> {
    let Some(volume) = spec.volumes.iter().find(|volume| volume.name == mount.volume) else {
        return Err(format!("There is no volume matched with {:?}", mount.volume));
    };
    // Only what the app alone owns can be written to.
    let writable = volume.empty_dir.is_some() || volume.persistent_volume_claim.is_some();
    let read_only = mount.read_only.unwrap_or(!writable);
    let wanted = VolumeMount {
        name: mount.volume,
        mount_path: mount.directory.to_owned(),
        sub_path: mount.sub_path,
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    };
    let mounts = main_container(spec).volume_mounts.get_or_insert_default();
    match mounts.iter_mut().find(|there| there.mount_path == wanted.mount_path) {
        Some(there) => *there = wanted,
        None => mounts.push(wanted),
    }
    Ok(())
}

/// Unmounts a directory; the volume that was made for it.
fn unmount(spec: &mut RevisionSpec, directory: &str) -> Option<String> {
    let container = main_container(spec);
    let mounts = container.volume_mounts.as_mut()?;
    let at = mounts.iter().position(|mount| mount.mount_path == directory)?;
    let name = mounts.remove(at).name;
    container.volume_mounts.take_if(|mounts| mounts.is_empty());
    (name == generated_name(directory)).then_some(name)
}

fn remove_volume(spec: &mut RevisionSpec, name: &str) -> Result<(), String> {
    let mounted = main_container(spec).volume_mounts.iter().flatten().any(|mount| mount.name == name);
    if mounted {
        return Err(format!("The volume {name:?} cannot be removed because it is mounted"));
    }
    spec.volumes.retain(|volume| volume.name != name);
    Ok(())
}
