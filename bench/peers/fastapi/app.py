"""Task lists with FastAPI and SQLAlchemy's asyncio extension.

https://fastapi.tiangolo.com/tutorial/sql-databases/
https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html
"""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import DateTime, ForeignKey, Index, String, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DRIVERS = {"postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
kind, rest = os.environ["DATABASE_URL"].split(":", 1)
engine = create_async_engine(f"{DRIVERS[kind]}:{rest}")
async_session = async_sessionmaker(engine, expire_on_commit=False)


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    pass


class TaskList(Base):
    __tablename__ = "task_list"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, onupdate=now)
    version: Mapped[int] = mapped_column(default=1)


class Task(Base):
    __tablename__ = "task"
    __table_args__ = (Index("tasks_of_a_list", "list_id", "order", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("task_list.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(255))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    due: Mapped[date | None]
    order: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, onupdate=now)
    version: Mapped[int] = mapped_column(default=1)

    @property
    def completed(self) -> bool:
        return self.completed_at is not None

    @completed.setter
    def completed(self, value: bool) -> None:
        if value != self.completed:
            self.completed_at = now() if value else None


class TaskListIn(BaseModel):
    name: str = Field(min_length=1, max_length=255)


class TaskListOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    version: int


class TaskIn(BaseModel):
    title: str = Field(min_length=1, max_length=255)
    completed: bool = False
    due: date | None = None
    order: int | None = None


class TaskPatch(BaseModel):
    title: str = Field(default="", min_length=1, max_length=255)
    completed: bool = False
    due: date | None = None
    order: int = 0


class TaskOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    url: str = ""
    list: int = Field(validation_alias="list_id")
    title: str
    completed: bool
    completed_at: datetime | None
    due: date | None
    order: int
    created_at: datetime
    updated_at: datetime
    version: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


async def get_session() -> AsyncIterator[AsyncSession]:
    async with async_session() as session:
        yield session


app = FastAPI(lifespan=lifespan)
Session = Annotated[AsyncSession, Depends(get_session)]


@app.get("/lists", response_model=list[TaskListOut])
async def index(
    session: Session, offset: int = 0, limit: Annotated[int, Query(le=100)] = 100
) -> Sequence[TaskList]:
    rows = await session.scalars(select(TaskList).order_by(TaskList.id).offset(offset).limit(limit))
    return rows.all()


@app.post("/lists", response_model=TaskListOut, status_code=201)
async def create(body: TaskListIn, session: Session) -> TaskList:
    task_list = TaskList(name=body.name)
    session.add(task_list)
    await session.commit()
    return task_list


@app.get("/lists/{list_id}", response_model=TaskListOut)
async def read(list_id: int, session: Session) -> TaskList:
    task_list = await session.get(TaskList, list_id)
    if task_list is None:
        raise HTTPException(404)
    return task_list


@app.put("/lists/{list_id}", response_model=TaskListOut)
async def update(list_id: int, body: TaskListIn, session: Session) -> TaskList:
    task_list = await read(list_id, session)
    task_list.name = body.name
    await session.commit()
    return task_list


@app.get("/lists/{list_id}/tasks")
async def tasks(
    list_id: int,
    request: Request,
    session: Session,
    offset: int = 0,
    limit: Annotated[int, Query(le=100)] = 100,
) -> list[TaskOut]:
    await read(list_id, session)
    rows = await session.scalars(
        select(Task)
        .where(Task.list_id == list_id)
        .order_by(Task.order, Task.id)
        .offset(offset)
        .limit(limit)
    )
    return [task_out(task, request) for task in rows]


@app.post("/lists/{list_id}/tasks", status_code=201)
async def create_task(list_id: int, body: TaskIn, request: Request, session: Session) -> TaskOut:
    await read(list_id, session)
    task = Task(list_id=list_id, **body.model_dump())
    if task.order is None:
        last = await session.scalar(select(func.max(Task.order)).where(Task.list_id == list_id))
        task.order = (last or 0) + 1
    session.add(task)
    await session.commit()
    return task_out(task, request)


@app.get("/tasks/{task_id}")
async def read_task(task_id: int, request: Request, session: Session) -> TaskOut:
    return task_out(await get_task(task_id, session), request)


@app.patch("/tasks/{task_id}")
async def update_task(task_id: int, body: TaskPatch, request: Request, session: Session) -> TaskOut:
    task = await get_task(task_id, session)
    for name, value in body.model_dump(exclude_unset=True).items():
        setattr(task, name, value)
    await session.commit()
    return task_out(task, request)


async def get_task(task_id: int, session: Session) -> Task:
    task = await session.get(Task, task_id)
    if task is None:
        raise HTTPException(404)
    return task


def task_out(task: Task, request: Request) -> TaskOut:
    out = TaskOut.model_validate(task)
    out.url = str(request.url_for("read_task", task_id=task.id))
    return out
