"""A traversal: images over one axis or two, with all other codes held still."""

from itertools import product

from pydantic import Field

from latent import Codes, LatentSpace, ModelVersion
from latent.origin import Index, Seed
from service.errors import FieldConflict, TooManyImages, within
from service.planning.axes import Axis, SeedAxis, Step, moving_code, steps_of
from service.planning.codes import codes_of, style_values
from service.planning.plan import Plan
from service.planning.point import AskedCodes
from service.planning.provenance import source_of


class Traversal(AskedCodes):
    """The codes that are held still, and the axes."""

    seed: Seed | None = Field(
        default=None,
        description="Decides all that is drawn, the same for all images. If absent, the server chooses a seed and "
        "sends it in `Faussaire-Seed`.",
    )
    index: Index = Field(default=0, description="Which image of the seed.")
    rows: Axis | None = Field(default=None, description="What moves from row to row. Nothing if absent.")
    columns: Axis = Field(description="What moves from column to column, or from frame to frame.")

    def first_seed(self, seed: int) -> int:
        """The seed of the first image; `seed` if no axis moves seeds."""
        seeds = [axis.seed[0] for axis in (self.rows, self.columns) if isinstance(axis, SeedAxis)]
        return seeds[0] if seeds else seed


def plan_traversal(traversal: Traversal, version: ModelVersion, seed: int, max_images: int) -> Plan:
    """Plan the images row by row. `seed` is the first image's.

    Raises FieldConflict, TooManyImages, UnknownClass, UnknownStyle, StyleOutOfRange and the errors of `codes_of`.
    """
    space = version.card.space
    _check_conflicts(traversal, space)
    rows, columns = _steps(traversal, space, max_images)
    moving = [step.seed for step in (*rows, *columns) if step.seed is not None]
    held = {each: codes_of(traversal, space, each, traversal.index) for each in moving or [seed]}
    codes: list[Codes] = []
    seeds: list[int] = []
    for row, column in product(rows, columns):
        seeds.append(next((step.seed for step in (row, column) if step.seed is not None), seed))
        codes.append(column.apply(row.apply(held[seeds[-1]])))
    sources = [source_of(traversal, each, traversal.index) for each in seeds]
    return Plan(version, seed, traversal.index, Codes.concatenate(codes), sources, columns=len(columns))


def _check_conflicts(traversal: Traversal, space: LatentSpace) -> None:
    """Raises FieldConflict if two axes move the same code, or an axis moves a code that is held, and UnknownStyle."""
    with within("columns"):
        moving = {moving_code(traversal.columns, space)}
    if traversal.rows is not None:
        with within("rows"):
            code = moving_code(traversal.rows, space)
        if code in moving:
            raise FieldConflict("rows", f"'rows' and 'columns' both move {code}; let one of them move something else.")
        moving.add(code)
    held = {"class": traversal.class_, "seed": traversal.seed}
    conflicts = [field for field, value in held.items() if value is not None and field in moving]
    if "seed" in moving and traversal.noise is not None:  # each seed draws noise of its own
        conflicts.append("noise")
    for field in conflicts:
        raise FieldConflict(field, f"Leave '{field}' out: an axis of the traversal moves it.")
    for place in style_values(traversal.style, space):
        name = space.styles[place].name
        if f"style '{name}'" in moving:
            raise FieldConflict(
                "style", f"Leave '{name}' out and give the other style codes by name: an axis moves it."
            )


def _steps(traversal: Traversal, space: LatentSpace, max_images: int) -> tuple[list[Step], list[Step]]:
    """The steps along rows and along columns. Raises UnknownClass, StyleOutOfRange and TooManyImages."""
    with within("columns"):
        columns = steps_of(traversal.columns, space)
    rows = [Step()]
    if traversal.rows is not None:
        with within("rows"):
            rows = steps_of(traversal.rows, space)
    count = len(rows) * len(columns)
    if count > max_images:
        field = "columns" if traversal.rows is None else "rows"
        raise TooManyImages(field, f"Ask for at most {max_images} images, rows times columns; these are {count}.")
    return rows, columns
